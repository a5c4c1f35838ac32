"""imgproxy Pro's ``/info``: parsing of the request, and the object of the response."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...errors import BadKey, UnknownOption
from ...plan.model import Plan
from ...plan.normalize import build_plan
from ...plan.options import escape_text
from ..common.parsed_url import Asked
from ..common.settings import LanguageSettings
from ..common.validate import refused
from .arguments import flag, number, only, whole
from .path import INFO_PREFIX, claim_of, restored
from .source import source_of


@dataclass(slots=True)
class InfoRequest:
    """Which fields are asked for, those that imgproxy gives by default set; ``page`` is that of the source."""

    fields: set[str] = field(default_factory=lambda: {"size", "format", "dimensions"})
    page: int = 0
    expires_s: int | None = None


type _Read = Callable[[InfoRequest, str, list[str]], None]


def _switch(name: str) -> _Read:
    def read(request: InfoRequest, option: str, args: list[str]) -> None:
        if flag(only(option, args)):
            request.fields.add(name)
        else:
            request.fields.discard(name)

    return read


def _nothing(_request: InfoRequest, option: str, args: list[str]) -> None:
    """Metadata of which masters have none, and limits that are the deployment's."""
    del option, args


def _off(_request: InfoRequest, option: str, args: list[str]) -> None:
    """What is not known here: only that it is not asked for can be served."""
    if any(text not in ("", "0", "f", "F", "false", "False", "FALSE", "none", "ce") for text in args):
        raise refused(option, "is not served here: nothing is known of it")


def _page(request: InfoRequest, option: str, args: list[str]) -> None:
    if text := only(option, args):
        request.page = whole(option, text, 0)


def _expires(request: InfoRequest, option: str, args: list[str]) -> None:
    timestamp = int(number(option, only(option, args), 0, 999_999_999_999))
    request.expires_s = timestamp + 1 if timestamp > 0 else None


_OPTIONS: tuple[tuple[tuple[str, ...], _Read], ...] = (
    (("size", "s"), _switch("size")),
    (("format", "f"), _switch("format")),
    (("dimensions", "d"), _switch("dimensions")),
    (("pages_number", "pn"), _switch("pages_number")),
    (("alpha", "a"), _switch("alpha")),
    (("thumb_hash", "th"), _switch("thumb_hash")),
    *(((name,), _nothing) for name in ("exif", "iptc", "xmp")),
    (("video_meta", "vm"), _nothing),
    (("cachebuster", "cb"), _nothing),
    (("bypass_cache", "bc"), _nothing),
    (("cache_tags", "ct"), _nothing),
    (("max_src_resolution", "msr"), _nothing),
    (("max_src_file_size", "msfs"), _nothing),
    (("video_thumbnail_second", "vts"), _nothing),
    (("video_thumbnail_keyframes", "vtk"), _nothing),
    (("page", "pg"), _page),
    (("expires", "exp"), _expires),
    (("detect_objects", "do"), _off),
    (("classify", "cl"), _off),
    (("crop", "c"), _off),
    (("palette", "p"), _off),
    (("average", "avg"), _off),
    (("dominant_colors", "dc"), _off),
    (("blurhash", "bh"), _off),
    (("perceptual_hash", "phash", "ph"), _off),
    (("calc_hashsums", "chs"), _off),
    (("preset", "pr"), _off),
)
INFO_OPTIONS: Mapping[str, _Read] = {name: read for names, read in _OPTIONS for name in names}


def read_info(target: str, settings: LanguageSettings) -> Asked:
    """Read ``/info/<signature>/…``; raises BadKey, BadOption or UnknownOption, which name what is wrong."""
    signature, slash, rest = target.removeprefix(INFO_PREFIX).partition("/")
    if not slash or not rest:
        raise BadKey("The path is not like /info/<signature>/<options>/plain/<source>")
    path = restored(rest)
    parts, separator = path.split("/"), settings.imgproxy.arguments_separator
    request = InfoRequest()
    while parts and separator in parts[0]:
        name, *args = parts.pop(0).split(separator)
        if name not in INFO_OPTIONS:
            raise UnknownOption(f"There is no option '{escape_text(name)}' of /info", option=escape_text(name))
        INFO_OPTIONS[name](request, name, args)
    address, _ = source_of(parts, settings.imgproxy)
    return Asked(
        plan=_plan(settings.sources.key(address), request),
        claim=claim_of(signature, path, settings.imgproxy),
        expires_s=request.expires_s,
        document=lambda description: answer(request.fields, description),
    )


def _plan(key: str, request: InfoRequest) -> Plan:
    return build_plan(key, {"f": "json", "page": request.page})


def answer(fields: set[str], description: Mapping[str, Any]) -> dict[str, Any]:
    """imgproxy's object: sizes as they are stored, with EXIF's orientation beside."""
    sides = (description["width"], description["height"])
    width, height = sides[::-1] if description["orientation"] >= 5 else sides
    known: dict[str, dict[str, Any]] = {
        "size": {"size": description["bytes"]},
        "format": {"format": description["format"]},
        "dimensions": {"width": width, "height": height, "orientation": description["orientation"]},
        "pages_number": {"pages_number": description["frames"]},
        "alpha": {"alpha": {"has_alpha": description["colour"]["alpha"]}},
        "thumb_hash": {"thumb_hash": description["thumbhash"]},
    }
    return {name: value for asked, found in known.items() if asked in fields for name, value in found.items()}
