"""Generate parts of docs/reference/urls.md, README.md and other pages from darkroom.plan and others."""

from __future__ import annotations

from bench.cost import PAGE as COST_PAGE
from bench.cost.example import format_cost_example
from darkroom.errors import list_errors_by_code
from darkroom.image_keys import MAX_ENCODED_KEY_BYTES, MAX_KEY_BYTES
from darkroom.overlays.language import DEFAULTS, PARAMETERS
from darkroom.plan.canonical import MAX_OPTIONS_BYTES, MIN_OPTIONS_BYTES
from darkroom.plan.model import SOURCE_MEDIA_TYPES
from darkroom.plan.native_url import parse_url
from darkroom.plan.option_types import split_parts
from darkroom.plan.options import NATIVE_OPTIONS, Option
from darkroom.plan.presets import load_default_presets
from darkroom.plan.variants import (
    CLASS_TYPES,
    LADDER_PX,
    SAVE_DATA_QUALITY,
    list_unsigned_variants,
)
from extensions import list_extensions
from tools.generated_blocks import ROOT, Content, table
from tools.release.notes import find_last_release

PAGE = ROOT / "docs" / "reference" / "urls.md"

_EXAMPLES = (
    "/photo.jpg",
    "/photo.jpg?w=800",
    "/photo.jpg?format=webp&width=400&dpr=2",
    "/photo.jpg?w=600&h=400&fit=cover&g=fp:0.25:0.5&q=80",
    "/photo.jpg?crop=pct:10,10,50,50&flip=v&bg=F80&pad=20",
    "/caf%C3%A9%20menu.jpg?f=jpg&dl=the+menu.jpg",
    "/photo.jpg?preset=cover&w=300",
    "/photo.jpg?w=800&ov=text:SALE,at:north,bold:1",
)


def _options() -> str:
    return table(("option", "values", "default", "meaning"), *map(_option, NATIVE_OPTIONS))


def _option(option: Option) -> tuple[str, str, str, str]:
    names = " ".join(f"`{name}`" for name in dict.fromkeys((option.short, option.long)))
    default = "" if option.default is None else ",".join(split_parts(option.type.format(option.default)))
    return names, option.type.allowed_values, f"`{default}`" if default else "", option.doc


def _overlays() -> str:
    rows = (
        (
            f"`{name}`",
            " and ".join(sorted(kinds, reverse=True)),
            option_type.allowed_values,
            f"`{option_type.format(default)}`" if (default := getattr(DEFAULTS, name)) not in (None, "") else "",
            doc,
        )
        for name, (option_type, kinds, doc) in PARAMETERS.items()
    )
    return table(("parameter", "of", "values", "default", "meaning"), *rows)


def _presets() -> str:
    queries = {
        name: "&".join(f"{short}={text}" for short, text in options.items())
        for name, options in load_default_presets().options.items()
    }
    return table(("preset", "options"), *((f"`{name}`", f"`{query}`") for name, query in queries.items()))


def _classes() -> str:
    rows = ((f"`{name}`", ", ".join(f"`{kind}`" for kind in types)) for name, types in CLASS_TYPES)
    return table(("class", "what the viewer accepts"), *rows)


def _examples() -> str:
    requests = {url: parse_url(url).path for url in _EXAMPLES}
    return table(("URL", "canonical request"), *((f"`{url}`", f"`{request}`") for url, request in requests.items()))


def _refusals() -> str:
    met = (kind for kind in list_errors_by_code().values() if kind.viewer_facing)
    kinds = sorted(met, key=lambda kind: (kind.status, kind.code))
    rows = ((str(kind.status), f"`{kind.code}`", kind.title) for kind in kinds)
    return table(("status", "`code`", "meaning"), *rows)


def _extensions() -> str:
    rows = (f"\n  - [{one.title}]({one.guide}): {one.summary}" for one in list_extensions())
    return "".join(rows)


def format_last_release() -> str:
    """Format version and date of the last release."""
    version, day = find_last_release((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    return f"{version} of {day}"


CONTENT: Content = {
    "options": _options,
    "overlays": _overlays,
    "presets": _presets,
    "classes": _classes,
    "examples": _examples,
    "refusals": _refusals,
    "extensions": _extensions,
    "ladder": lambda: " ".join(f"`{width}`" for width in LADDER_PX),
    "max-key-bytes": lambda: str(MAX_KEY_BYTES),
    "max-encoded-key-bytes": lambda: str(MAX_ENCODED_KEY_BYTES),
    "min-options-bytes": lambda: str(MIN_OPTIONS_BYTES),
    "max-options-bytes": lambda: str(MAX_OPTIONS_BYTES),
    "saving-quality": lambda: str(SAVE_DATA_QUALITY),
    "unsigned-variants": lambda: str(len(list_unsigned_variants("photo.jpg", load_default_presets()))),
    "last-release": format_last_release,
    "cost-example": lambda: format_cost_example(COST_PAGE.read_text(encoding="utf-8")),
}

UPLOADS_CONTENT: Content = {
    "image-types": lambda: ", ".join(f"`{media_type}`" for media_type in SOURCE_MEDIA_TYPES),
}
