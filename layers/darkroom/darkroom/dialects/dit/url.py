"""Reading a DIT URL, in whichever of its forms."""

from __future__ import annotations

from dataclasses import replace

from ...plan.option_types import Value
from ..common.parsed_url import ParsedUrl, SignatureClaim
from ..common.settings import DialectSettings
from ..common.validate import bad_option, build_valid_plan
from . import base64_request, colour, query8, thumbor_path
from .edits import EDIT_MAPPINGS, apply_edits
from .geometry import convert_geometry
from .model import DitOptions
from .query import PARAMETER_MAPPINGS, convert_parameters, parse_expires, parse_parameters
from .request import DitRequest
from .sharp_edits import parse_format
from .signature import build_message

OPTION_MAPPINGS = (
    *EDIT_MAPPINGS,
    *base64_request.FIELD_MAPPINGS,
    *thumbor_path.SEGMENT_MAPPINGS,
    *thumbor_path.FILTER_MAPPINGS,
    *PARAMETER_MAPPINGS,
    *query8.VERSION_8_MAPPINGS,
)
"""All of DIT 7: its edits, and in groups a request's fields, a path's parts and filters, and a query's parameters.

Of DIT 8 the parameters of its query.
"""

MAX_QUALITY = 100


def parse(target: str, settings: DialectSettings) -> ParsedUrl:
    """Read ``target``, the raw path after the language's prefix, perhaps with a query.

    Raises BadKey, or BadOption where something is asked for that there is not here.
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
    )


def convert_options(options: DitOptions, request: DitRequest) -> dict[str, Value]:
    """Our options, by short name; raises BadOption."""
    placed = convert_geometry(options)
    values = {**options.values, **placed, "f": _choose_format(options, request)}
    quality = options.qualities.get(str(values["f"]), request.quality)
    if quality is not None:
        if not 1 <= quality <= MAX_QUALITY:
            raise bad_option("quality", f"it must be a whole number from 1 to {MAX_QUALITY}")
        values["q"] = quality
    if alpha := "drop" if options.drops_alpha else options.alpha:
        values["alpha"] = alpha
    return values | colour.convert_colour(options)


def _choose_format(options: DitOptions, request: DitRequest) -> str:
    """The format of toFormat, else of the request, else of the last edit that is one, else what the viewer accepts."""
    named = options.output or (parse_format(request.output) if request.output else "") or options.written
    return named or ("auto" if options.settings.dit.auto_webp else "auto-legacy")
