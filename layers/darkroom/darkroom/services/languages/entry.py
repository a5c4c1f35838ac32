"""The way from the transform function into the languages: made for the first request that needs them."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...aws.secrets import Secret
from ...errors import DarkroomError
from ...plan.grammar.settings import configured
from ..answers import Failed, HttpResponse, to_http
from ..transform import Transform
from .ages import DEFAULT_MAX_AGE_S
from .delivery import Delivery
from .keys import read_keys
from .request import LanguageRequest
from .service import Languages
from .table import read_modes

if TYPE_CHECKING:
    from ...aws.credentials import CredentialSource

type Responded = tuple[HttpResponse, DarkroomError | None]


def connected(environment: Mapping[str, str], transform: Transform, credentials: CredentialSource) -> Languages:
    """The languages of a deployment, beside its ``transform``."""
    max_age_s = int(environment.get("LANGUAGE_MAX_AGE_S", DEFAULT_MAX_AGE_S))
    return Languages(
        transform=transform,
        delivery=Delivery(transform.media, transform.keys, max_age_s),
        keys=Secret(environment.get("LANGUAGE_KEYS_ARN", ""), credentials, read_keys, environment),
        modes=read_modes(environment.get("LANGUAGES", "")),
        settings=configured,
    )


def respond(languages: Languages, name: str, method: str, headers: Mapping[str, str]) -> Responded:
    """The answer to a request with these ``headers`` (names in lower case) in the language ``name``, and its error."""
    languages.transform.observer.annotate("language", name)
    try:
        return languages.answer(name, LanguageRequest.read(method, headers)), None
    except DarkroomError as raised:
        error = raised
    except Exception:  # a defect must answer as a problem too, not as Lambda's own error page
        error = DarkroomError(detail=traceback.format_exc())
    return to_http(Failed(error), method=method, viewer_url=""), error
