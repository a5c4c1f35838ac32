"""Parse thumbor URLs.

A signature is padded base64url of HMAC-SHA1 over the raw path that follows it. The query is not signed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from darkroom.errors import BadKey
from darkroom.overlays.language import format_overlays
from darkroom.plan.model import IDENTITY
from darkroom.plan.option_types import Value

from ..common.mapping import find_parser, index_by_name
from ..common.matrices import combine
from ..common.parsed_url import DialectKey, ParsedUrl, SignatureClaim, verify_claim
from ..common.settings import DialectSettings
from ..common.validate import BAD_PATH, build_valid_plan, decode_text
from .effects import order_tones
from .filters import FILTER_MAPPINGS, apply_filter
from .geometry import convert_geometry
from .meta import describe
from .model import ThumborOptions
from .path_segments import SEGMENT_MAPPINGS, PathSegments, split_filters, split_path, split_signature

OPTION_MAPPINGS = (*SEGMENT_MAPPINGS, *FILTER_MAPPINGS)
"""All of thumbor 7.8: segments of a path, in group ``path``, and filters."""


def sign(message: bytes, key: DialectKey) -> str:
    """Return the signature of ``message``, the path after the signature and its slash."""
    import hmac  # loads OpenSSL, which native requests do not need
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(hmac.digest(key.key.encode(), message, "sha1")).decode()


def verify(
    claim: SignatureClaim | None, keys: Sequence[DialectKey], now_s: float, expires_s: int | None = None
) -> None:
    """Raise BadSignature if ``claim`` is of none of ``keys``, and Expired from ``expires_s`` on."""
    verify_claim(claim, lambda one: (sign(one.message, key) for key in keys if key.key), now_s, expires_s)


UNSAFE = "unsafe"
"""The signature segment of unsigned URLs."""

_SEGMENTS_BY_NAME = index_by_name(SEGMENT_MAPPINGS)
_ESCAPED_SCHEME = re.compile(r"https?%3a", re.IGNORECASE)


def parse(target: str, settings: DialectSettings) -> ParsedUrl:
    """Parse ``target``, the raw path after the dialect's prefix. A query is ignored.

    Raises BadKey, or BadOption for unsupported options.
    """
    signed = split_signature(target.partition("?")[0])
    if signed is None:
        raise BadKey("The path must have a signature or 'unsafe', and an image")
    signature, rest = signed
    claim = None if signature == UNSAFE else SignatureClaim(rest.encode(), decode_text(signature, BadKey, BAD_PATH))
    options = collect_options(split_path(rest), settings)
    key = settings.sources.resolve(options.image, bare_hosts=True)
    document = partial(describe, options) if options.meta else None
    return ParsedUrl(
        build_valid_plan(key, convert_options(options)), claim, max_age_s=options.max_age_s, document=document
    )


def collect_options(parts: PathSegments, settings: DialectSettings) -> ThumborOptions:
    """Collect the options in ``parts``."""
    options = ThumborOptions(settings, decode_source(parts.image))
    for name, text in parts.named():
        find_parser(_SEGMENTS_BY_NAME, name)(options, text)
    for name, call in split_filters(decode_text(parts.filters, BadKey, BAD_PATH)):
        apply_filter(options, name, call)
    return options


def convert_options(options: ThumborOptions) -> dict[str, Value]:
    """Return our options by short name. Raises BadOption."""
    values = {**options.values, **convert_geometry(options)}
    if values.get("fit") == "letterbox" or "ext" in values or options.fills_transparency:
        options.set_once("fill", **options.background_fill)
        values |= options.background_fill
    placed = order_tones(options.steps)
    matrices = (("mat", combine(placed.early)), ("late", combine(placed.late)))
    values |= {short: matrix for short, matrix in matrices if matrix != IDENTITY}
    if placed.equalizes_late is not None:
        values["lev"] = "after" if placed.equalizes_late else "equal"
    if options.grey and not placed.late:
        values["gray"] = True
    if options.overlays:
        values["ov"] = format_overlays(options.overlays)
    if options.meta:
        values["f"] = "json"
    if not options.settings.thumbor.respect_orientation:
        values["orient"] = False
    return values


def decode_source(image: str) -> str:
    """Return the source's address in ``image``, a raw segment. A URL that was escaped as a whole is decoded once."""
    return decode_text(image, BadKey, BAD_PATH) if _ESCAPED_SCHEME.match(image) else image
