"""The dialects service on a store, with known keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from darkroom.aws.s3_fast import FastBucket
from darkroom.http.response import DIALECT, VIEWER_URL, EdgeRequest, HttpResponse
from darkroom.plan.presets import load_default_presets as configured_presets
from darkroom.plan.variants import AccessMode
from darkroom.services.serve.transform import Transform
from darkroom_dialects.common.parsed_url import DialectKey
from darkroom_dialects.common.settings import CloudflareSettings, DialectSettings, ImgproxySettings
from darkroom_dialects.common.sources import Sources
from darkroom_dialects.registry import DIALECTS
from darkroom_dialects.serving.delivery import Delivery
from darkroom_dialects.serving.handler import respond
from darkroom_dialects.serving.service import DialectService
from darkroom_dialects.serving.signing_keys import KeysByDialect, parse_keys
from tests.component.services.test_transform import Keys

NOW_S = 1_800_000_000
KEYS: dict[str, DialectKey] = {
    "imgproxy": DialectKey("0a1b2c3d4e5f6071", "2c"),
    "thumbor": DialectKey("the key of thumbor"),
    "dit": DialectKey("the secret of DIT"),
    "imgix": DialectKey("the token of imgix"),
    "cloudinary": DialectKey("the secret of Cloudinary"),
}
OLD_KEY = "the older key of thumbor"
SECRET = {
    "imgproxy": [{"key": KEYS["imgproxy"].key, "salt": KEYS["imgproxy"].salt}],
    "thumbor": [OLD_KEY, KEYS["thumbor"].key],
    "dit": [KEYS["dit"].key],
    "imgix": [KEYS["imgix"].key],
    "cloudinary": [KEYS["cloudinary"].key],
}
SETTINGS = DialectSettings(
    sources=Sources((("//images.example.com/photos/", ""),)),
    imgproxy=ImgproxySettings(presets={"small": "rs:fit:120:120"}),
    cloudflare=CloudflareSettings("account"),
    presets=configured_presets(),
)


@dataclass
class Document:
    """The secret. ``fresh`` is its content after a rotation, if there is one."""

    current: KeysByDialect
    fresh: KeysByDialect | None = None
    asked: list[bool] = field(default_factory=list)

    def get(self, *, refresh: bool = False) -> KeysByDialect:
        self.asked.append(refresh)
        return self.fresh if refresh and self.fresh is not None else self.current


@dataclass
class Served:
    """A deployment, and requests to it."""

    dialects: DialectService
    document: Document
    bucket: FastBucket

    def get(self, url: str, *, method: str = "GET", **headers: str) -> HttpResponse:
        """The response to ``url``, a path and query with the dialect's prefix; ``if_none_match="…"`` is a header."""
        path = url.partition("?")[0]
        prefixes = {prefix: one.name for one in DIALECTS for prefix in (one.prefix, *one.further_prefixes)}
        dialect = next(name for prefix, name in prefixes.items() if path.startswith(prefix + "/"))
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        request = EdgeRequest("", method, {DIALECT: dialect, VIEWER_URL: url, **sent})
        response, _ = respond(self.dialects, request)
        return response


def served(
    bucket: FastBucket, mode: AccessMode = AccessMode.GUARDED, max_age_s: int = 3600, **transform: Any
) -> Served:
    """All dialects in ``mode`` on ``bucket``; ``transform`` are fields of that service."""
    document = Document(parse_keys(SECRET))
    service = Transform(source=bucket, media=bucket, keys=Keys(), clock=lambda: NOW_S, **transform)
    dialects = DialectService(
        transform=service,
        delivery=Delivery(bucket, Keys(("signing key",)), max_age_s),
        keys=document,
        modes=dict.fromkeys((dialect.name for dialect in DIALECTS), mode),
        settings=lambda: SETTINGS,
        clock=lambda: NOW_S,
    )
    return Served(dialects, document, bucket)
