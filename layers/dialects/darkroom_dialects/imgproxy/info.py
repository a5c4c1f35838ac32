"""Parse requests of imgproxy Pro's ``/info``, and build the response."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from darkroom.errors import BadKey, UnknownOption
from darkroom.plan.canonical import build_plan
from darkroom.plan.model import Plan
from darkroom.plan.options import escape_text

from ..common.parsed_url import ParsedUrl
from ..common.settings import DialectSettings
from ..common.validate import bad_option
from .arguments import parse_flag, parse_int, parse_number, single
from .url import INFO_PREFIX, parse_claim, parse_source, restore_path


@dataclass(slots=True)
class InfoRequest:
    """The requested fields, initially imgproxy's defaults, and the ``page`` of the source."""

    fields: set[str] = field(default_factory=lambda: {"size", "format", "dimensions"})
    page: int = 0
    expires_s: int | None = None


type _InfoParser = Callable[[InfoRequest, str, list[str]], None]


def _make_switch(name: str) -> _InfoParser:
    def read(request: InfoRequest, option: str, args: list[str]) -> None:
        if parse_flag(single(option, args)):
            request.fields.add(name)
        else:
            request.fields.discard(name)

    return read


def _ignore(_request: InfoRequest, option: str, args: list[str]) -> None:
    """Ignore options for metadata, which masters do not have, and for limits, which the deployment sets."""
    del option, args


def _reject_if_set(_request: InfoRequest, option: str, args: list[str]) -> None:
    """Refuse options for unknown properties unless they are switched off."""
    if any(text not in ("", "0", "f", "F", "false", "False", "FALSE", "none", "ce") for text in args):
        raise bad_option(option, "is not supported")


def _parse_blurhash(request: InfoRequest, option: str, args: list[str]) -> None:
    """Accept the number of components that ``f=json`` has, or 0."""
    if args == ["4", "3"]:
        request.fields.add("blurhash")
    elif any(text not in ("", "0") for text in args):
        raise bad_option(option, "must be 4:3")


def _parse_page(request: InfoRequest, option: str, args: list[str]) -> None:
    if text := single(option, args):
        request.page = parse_int(option, text, 0)


def _parse_expires(request: InfoRequest, option: str, args: list[str]) -> None:
    timestamp = int(parse_number(option, single(option, args), 0, 999_999_999_999))
    request.expires_s = timestamp + 1 if timestamp > 0 else None


_OPTIONS: tuple[tuple[tuple[str, ...], _InfoParser], ...] = (
    (("size", "s"), _make_switch("size")),
    (("format", "f"), _make_switch("format")),
    (("dimensions", "d"), _make_switch("dimensions")),
    (("pages_number", "pn"), _make_switch("pages_number")),
    (("alpha", "a"), _make_switch("alpha")),
    (("thumb_hash", "th"), _make_switch("thumb_hash")),
    *(((name,), _ignore) for name in ("exif", "iptc", "xmp")),
    (("video_meta", "vm"), _ignore),
    (("cachebuster", "cb"), _ignore),
    (("bypass_cache", "bc"), _ignore),
    (("cache_tags", "ct"), _ignore),
    (("max_src_resolution", "msr"), _ignore),
    (("max_src_file_size", "msfs"), _ignore),
    (("video_thumbnail_second", "vts"), _ignore),
    (("video_thumbnail_keyframes", "vtk"), _ignore),
    (("page", "pg"), _parse_page),
    (("expires", "exp"), _parse_expires),
    (("detect_objects", "do"), _reject_if_set),
    (("classify", "cl"), _reject_if_set),
    (("crop", "c"), _reject_if_set),
    (("palette", "p"), _reject_if_set),
    (("average", "avg"), _reject_if_set),
    (("dominant_colors", "dc"), _reject_if_set),
    (("blurhash", "bh"), _parse_blurhash),
    (("perceptual_hash", "phash", "ph"), _reject_if_set),
    (("calc_hashsums", "chs"), _reject_if_set),
    (("preset", "pr"), _reject_if_set),
)
INFO_OPTIONS: Mapping[str, _InfoParser] = {name: read for names, read in _OPTIONS for name in names}


def parse_info_url(target: str, settings: DialectSettings) -> ParsedUrl:
    """Parse ``/info/<signature>/…``. Raises BadKey, BadOption or UnknownOption."""
    signature, slash, rest = target.removeprefix(INFO_PREFIX).partition("/")
    if not slash or not rest:
        raise BadKey("The path must be like /info/<signature>/<options>/plain/<source>")
    path = restore_path(rest)
    parts, separator = path.split("/"), settings.imgproxy.arguments_separator
    request = InfoRequest()
    while parts and separator in parts[0]:
        name, *args = parts.pop(0).split(separator)
        if name not in INFO_OPTIONS:
            raise UnknownOption(f"There is no option '{escape_text(name)}' of /info", option=escape_text(name))
        INFO_OPTIONS[name](request, name, args)
    address, _ = parse_source(parts, settings.imgproxy)
    return ParsedUrl(
        plan=_build_plan(settings.sources.resolve(address), request),
        claim=parse_claim(signature, path, settings.imgproxy),
        expires_s=request.expires_s,
        document=lambda description: build_response(request.fields, description),
    )


def _build_plan(key: str, request: InfoRequest) -> Plan:
    return build_plan(key, {"f": "json", "page": request.page})


def build_response(fields: set[str], description: Mapping[str, Any]) -> dict[str, Any]:
    """Return imgproxy's object: sizes as stored, with the EXIF orientation."""
    sides = (description["width"], description["height"])
    width, height = sides[::-1] if description["orientation"] >= 5 else sides
    known: dict[str, dict[str, Any]] = {
        "size": {"size": description["bytes"]},
        "format": {"format": description["format"]},
        "dimensions": {"width": width, "height": height, "orientation": description["orientation"]},
        "pages_number": {"pages_number": description["frames"]},
        "alpha": {"alpha": {"has_alpha": description["colour"]["alpha"]}},
        "thumb_hash": {"thumb_hash": description["thumbhash"]},
        "blurhash": {"blurhash": description.get("blurhash", "")},
    }
    return {name: value for field, found in known.items() if field in fields for name, value in found.items()}
