"""thumbor's filters that are about the answer: its format, its bytes, its age."""

from __future__ import annotations

from ..common.validate import refused
from .filter_calls import unquoted
from .model import Wanted, whole

FORMATS = frozenset({"png", "jpeg", "jpg", "gif", "webp", "avif"})
UNWRITTEN_FORMATS = frozenset({"heic", "heif"})
MAX_BYTES = 2_000_000_000


def cover(wanted: Wanted, _: list[str]) -> None:
    wanted.values["anim"] = False


def file_format(wanted: Wanted, arguments: list[str]) -> None:
    output = unquoted(arguments[0]).lower()
    if output in UNWRITTEN_FORMATS:
        raise refused("format", f"{output} is not written here; {', '.join(sorted(FORMATS))} are")
    wanted.values.pop("f", None)
    if output in FORMATS:
        wanted.values["f"] = output.replace("jpg", "jpeg")


def max_age(wanted: Wanted, arguments: list[str]) -> None:
    wanted.max_age_s = whole("max_age", arguments[0])


def max_bytes(wanted: Wanted, arguments: list[str]) -> None:
    wanted.values["mb"] = min(whole("max_bytes", arguments[0]), MAX_BYTES)


def quality(wanted: Wanted, arguments: list[str]) -> None:
    wanted.values["q"] = min(100, max(1, whole("quality", arguments[0])))
