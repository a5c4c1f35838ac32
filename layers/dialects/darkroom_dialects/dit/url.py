"""Parse DIT URLs of all forms.

A signature is hex HMAC-SHA256 over the path and DIT's query parameters, sorted, without ``signature``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from darkroom.plan.option_types import Value

from ..common.parsed_url import DialectKey, ParsedUrl, SignatureClaim, verify_claim
from ..common.settings import DialectSettings
from ..common.validate import bad_option, build_valid_plan
from . import base64_request, thumbor_path
from .edits import EDIT_MAPPINGS, apply_edits
from .geometry import convert_geometry
from .model import DitOptions, DitRequest
from .query import PARAMETER_MAPPINGS, VERSION_8_MAPPINGS, convert_parameters, parse_expires, parse_parameters
from .sharp_edits import convert_colour, parse_format


def build_message(path: str, parameters: Mapping[str, str]) -> bytes:
    """Return the signed message of ``path``, which is raw, and ``parameters``, which are decoded."""
    pairs = [f"{name}={value}" for name, value in sorted(parameters.items()) if name != "signature"]
    return ("?".join([path, "&".join(pairs)]) if pairs else path).encode()


def sign(message: bytes, key: DialectKey) -> str:
    """Return the signature of ``message``."""
    import hmac  # loads OpenSSL, which native requests do not need

    return hmac.digest(key.key.encode(), message, "sha256").hex()


def verify(
    claim: SignatureClaim | None, keys: Sequence[DialectKey], now_s: float, expires_s: int | None = None
) -> None:
    """Raise BadSignature if ``claim`` is of none of ``keys``, and Expired from ``expires_s`` on."""
    verify_claim(claim, lambda one: (sign(one.message, key) for key in keys if key.key), now_s, expires_s)


OPTION_MAPPINGS = (
    *EDIT_MAPPINGS,
    *base64_request.FIELD_MAPPINGS,
    *thumbor_path.SEGMENT_MAPPINGS,
    *thumbor_path.FILTER_MAPPINGS,
    *PARAMETER_MAPPINGS,
    *VERSION_8_MAPPINGS,
)
"""All options of DIT 7, in groups, and the query parameters of DIT 8."""

MAX_QUALITY = 100


def parse(target: str, settings: DialectSettings) -> ParsedUrl:
    """Parse ``target``, the raw path and query after the dialect's prefix.

    Raises BadKey, or BadOption for unsupported options.
    """
    route, _, query = target.partition("?")
    parameters = parse_parameters(query)
    document = base64_request.decode_document(route)
    request = thumbor_path.parse_request(route) if document is None else base64_request.parse_request(document)
    options = DitOptions(settings)
    from_query = convert_parameters(parameters)
    quality = from_query.pop(thumbor_path.QUALITY, request.quality)
    assert isinstance(quality, int | None)
    apply_edits(options, {**request.edits, **from_query})
    signature = parameters.get("signature")
    return ParsedUrl(
        build_valid_plan(
            settings.sources.resolve(request.address), convert_options(options, replace(request, quality=quality))
        ),
        None if signature is None else SignatureClaim(build_message(route, parameters), signature),
        parse_expires(parameters["expires"]) if "expires" in parameters else None,
        max_age_s=request.max_age_s,
        metadata=options.metadata,
    )


def convert_options(options: DitOptions, request: DitRequest) -> dict[str, Value]:
    """Return our options by short name. Raises BadOption."""
    placed = convert_geometry(options)
    values = {**options.values, **placed, "f": _choose_format(options, request)}
    quality = options.qualities.get(str(values["f"]), request.quality)
    if quality is not None:
        if not 1 <= quality <= MAX_QUALITY:
            raise bad_option("quality", f"it must be a whole number from 1 to {MAX_QUALITY}")
        values["q"] = quality
    if alpha := "drop" if options.drops_alpha else options.alpha:
        values["alpha"] = alpha
    return values | convert_colour(options)


def _choose_format(options: DitOptions, request: DitRequest) -> str:
    """Return the format of toFormat, else of the request, else of the last edit, else the negotiated one."""
    named = options.output or (parse_format(request.output) if request.output else "") or options.written
    return named or options.settings.dit.default_format
