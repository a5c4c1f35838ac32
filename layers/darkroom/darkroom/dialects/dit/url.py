"""Reading a DIT URL, in whichever of its forms."""

from __future__ import annotations

from dataclasses import replace

from ...plan.option_types import Value
from ..common.parsed_url import Asked, Claim
from ..common.settings import LanguageSettings
from ..common.validate import held_plan, refused
from . import base64_request, colour, query8, thumbor_path
from .edits import EDITS, read_edits
from .geometry import geometry
from .model import Wanted
from .query import PARAMETERS, edits_of, expires_of, parameters_of
from .request import Request
from .sharp_edits import format_of
from .signature import message_of

COVERAGE = (*EDITS, *base64_request.FIELDS, *thumbor_path.PARTS, *thumbor_path.FILTERS, *PARAMETERS, *query8.PARAMETERS)
"""All of DIT 7: its edits, and in groups a request's fields, a path's parts and filters, and a query's parameters.

Of DIT 8 the parameters of its query.
"""

MAX_QUALITY = 100


def read(target: str, settings: LanguageSettings) -> Asked:
    """Read ``target``, the raw path after the language's prefix, perhaps with a query.

    Raises BadKey, or BadOption where something is asked for that there is not here.
    """
    route, _, query = target.partition("?")
    parameters = parameters_of(query)
    document = base64_request.document_of(route)
    request = thumbor_path.request_of(route) if document is None else base64_request.request_of(document)
    wanted = Wanted(settings)
    from_query = edits_of(parameters)
    quality = from_query.pop(thumbor_path.QUALITY, request.quality)
    assert isinstance(quality, int | None)
    read_edits(wanted, {**request.edits, **from_query})
    signature = parameters.get("signature")
    return Asked(
        held_plan(settings.sources.key(request.address), options(wanted, replace(request, quality=quality))),
        None if signature is None else Claim(message_of(route, parameters), signature),
        expires_of(parameters["expires"]) if "expires" in parameters else None,
        max_age_s=request.max_age_s,
    )


def options(wanted: Wanted, request: Request) -> dict[str, Value]:
    """Our options, by short name; raises BadOption."""
    placed = geometry(wanted)
    values = {**wanted.values, **placed, "f": _format(wanted, request)}
    quality = wanted.qualities.get(str(values["f"]), request.quality)
    if quality is not None:
        if not 1 <= quality <= MAX_QUALITY:
            raise refused("quality", f"it must be a whole number from 1 to {MAX_QUALITY}")
        values["q"] = quality
    if alpha := "drop" if wanted.drops_alpha else wanted.alpha:
        values["alpha"] = alpha
    return values | colour.options(wanted)


def _format(wanted: Wanted, request: Request) -> str:
    """The format of toFormat, else of the request, else of the last edit that is one, else what the viewer accepts."""
    named = wanted.output or (format_of(request.output) if request.output else "") or wanted.written
    return named or ("auto" if wanted.settings.dit.auto_webp else "auto-legacy")
