"""thumbor's filters that are about the answer: its format, its bytes, its age."""

from __future__ import annotations

from ..common.validate import bad_option
from .filter_calls import strip_quotes
from .model import ThumborOptions, parse_int

FORMATS = frozenset({"png", "jpeg", "jpg", "gif", "webp", "avif"})
UNSUPPORTED_FORMATS = frozenset({"heic", "heif"})
MAX_BYTES = 2_000_000_000


def apply_cover(options: ThumborOptions, _: list[str]) -> None:
    options.values["anim"] = False


def apply_file_format(options: ThumborOptions, arguments: list[str]) -> None:
    output = strip_quotes(arguments[0]).lower()
    if output in UNSUPPORTED_FORMATS:
        raise bad_option("format", f"{output} is not written here; {', '.join(sorted(FORMATS))} are")
    options.values.pop("f", None)
    if output in FORMATS:
        options.values["f"] = output.replace("jpg", "jpeg")


def apply_max_age(options: ThumborOptions, arguments: list[str]) -> None:
    options.max_age_s = parse_int("max_age", arguments[0])


def apply_max_bytes(options: ThumborOptions, arguments: list[str]) -> None:
    options.values["mb"] = min(parse_int("max_bytes", arguments[0]), MAX_BYTES)


def apply_quality(options: ThumborOptions, arguments: list[str]) -> None:
    options.values["q"] = min(100, max(1, parse_int("quality", arguments[0])))
