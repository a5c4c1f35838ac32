"""Parse IIIF URLs into requests: sections 2 and 4.1 to 4.3."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from darkroom.errors import BadOption, SourceMissing
from darkroom.image_keys import parse_key
from darkroom.plan.options import escape_text

from ..common.validate import BAD_PATH, decode_text
from ..registry import encode_identifier
from .spec import FORMATS, QUALITIES, UNSUPPORTED_FORMATS, V3, VERSIONS, Version

_WHOLE = r"[0-9]{1,9}"
_NUMBER = r"(?:[0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})"
_REGION = re.compile(rf"(?P<px>{_WHOLE}(?:,{_WHOLE}){{3}})|pct:(?P<pct>{_NUMBER}(?:,{_NUMBER}){{3}})")
_SIZE = re.compile(
    rf"(?P<up>\^?)(?:(?P<max>max)|pct:(?P<pct>{_NUMBER})|(?P<confined>!?)(?P<w>{_WHOLE}),(?P<h>{_WHOLE})"
    rf"|(?P<width>{_WHOLE}),|,(?P<height>{_WHOLE}))"
)
_SIZE_V2 = re.compile(
    rf"(?P<full>full)|(?P<max>max)|pct:(?P<pct>{_NUMBER})|(?P<confined>!?)(?P<w>{_WHOLE}),(?P<h>{_WHOLE})"
    rf"|(?P<width>{_WHOLE}),|,(?P<height>{_WHOLE})"
)
_ROTATION = re.compile(rf"(!?)({_NUMBER})")

REGIONS = "full, square, x,y,w,h or pct:x,y,w,h"
SIZES = "max, w, or ,h or pct:n or w,h or !w,h, after ^ where it may be enlarged"
SIZES_V2 = "full, max, w, or ,h or pct:n or w,h or !w,h"
ROTATIONS = "degrees from 0 to 360, after ! where it is mirrored first"


@dataclass(frozen=True, slots=True)
class Region:
    """The region. ``unit`` is ``full``, ``square``, ``px`` or ``pct``; the numbers are 0 for the first two."""

    unit: Literal["full", "square", "px", "pct"]
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0


@dataclass(frozen=True, slots=True)
class Scale:
    """The size. ``form`` is ``max``, ``pct`` or ``box``; a side of a box that is None follows the other.

    ``up``: it can be enlarged. ``confined``: it keeps its ratio within the box.
    """

    form: Literal["max", "pct", "box"]
    up: bool = False
    percent: float = 100.0
    width: int | None = None
    height: int | None = None
    confined: bool = False


@dataclass(frozen=True, slots=True)
class Rotation:
    """The rotation: ``degrees`` clockwise, from 0, below 360, in hundredths, after a flip if ``mirrored``."""

    mirrored: bool
    degrees: float


def parse_region(text: str) -> Region:
    """Parse the region. Raises BadOption."""
    if text == "full":
        return Region("full")
    if text == "square":
        return Region("square")
    match = _REGION.fullmatch(text)
    if not match:
        raise bad_parameter("region", REGIONS, text)
    unit: Literal["px", "pct"] = "px" if match["px"] else "pct"
    return Region(unit, *(float(part) for part in match[unit].split(",")))


def parse_size(text: str, version: Version = V3) -> Scale:
    """Parse the size. Raises BadOption. In version 2 every size but ``max`` can exceed the region."""
    if version.upscales_silently:
        return _parse_size_v2(text)
    match = _SIZE.fullmatch(text)
    if not match:
        raise bad_parameter("size", SIZES, text)
    return _build_scale(match, up=bool(match["up"]))


def _parse_size_v2(text: str) -> Scale:
    match = _SIZE_V2.fullmatch(text)
    if not match:
        raise bad_parameter("size", SIZES_V2, text)
    if match["full"]:
        return Scale("pct", up=True)
    return _build_scale(match, up=not match["max"])


def _build_scale(match: re.Match[str], *, up: bool) -> Scale:
    if match["max"]:
        return Scale("max", up)
    if match["pct"]:
        return Scale("pct", up, percent=float(match["pct"]))
    width, height = (match[wide] or match[one] for wide, one in (("w", "width"), ("h", "height")))
    return Scale(
        "box",
        up,
        width=int(width) if width else None,
        height=int(height) if height else None,
        confined=bool(match["confined"]),
    )


def parse_rotation(text: str) -> Rotation:
    """Parse the rotation. Raises BadOption. 360 degrees are 0."""
    match = _ROTATION.fullmatch(text)
    degrees = float(match[2]) if match else 361.0
    if not match or degrees > 360:
        raise bad_parameter("rotation", ROTATIONS, text)
    return Rotation(bool(match[1]), round(degrees, 2) % 360)


def bad_parameter(parameter: str, expected: str, text: str) -> BadOption:
    """Return the error for ``text``, with the expected values."""
    return BadOption(f"{parameter} must be {expected}, but is '{escape_text(text)}'", option=parameter)


INFO_JSON = "info.json"


@dataclass(frozen=True, slots=True)
class ImageReference:
    """An image by its ``key``. ``identifier`` is the key as spelled in the URL."""

    key: str
    identifier: str
    version: Version = field(default=V3, kw_only=True)

    @property
    def canonical_identifier(self) -> str:
        """Return the only spelling of the identifier that is served, so that purges find all responses."""
        return encode_identifier(self.key)


@dataclass(frozen=True, slots=True)
class BaseRequest(ImageReference):
    """The base URI, which redirects to ``info.json``."""


@dataclass(frozen=True, slots=True)
class InfoRequest(ImageReference):
    """``info.json``."""


@dataclass(frozen=True, slots=True)
class ImageRequest(ImageReference):
    """An image. ``parameters`` are region, size, rotation, quality and format as spelled in the URL, decoded."""

    region: Region
    size: Scale
    rotation: Rotation
    quality: str
    format: str
    parameters: tuple[str, str, str, str, str]


def parse(target: str) -> BaseRequest | InfoRequest | ImageRequest:
    """Parse ``target``, a path, not decoded, that begins with a version's prefix. A query is ignored.

    Raises SourceMissing for another shape of path, BadKey, or BadOption.
    """
    path = target.partition("?")[0]
    version = next((version for version in VERSIONS if path.startswith(version.prefix)), None)
    identifier, *rest = path[len(V3.prefix) :].split("/")
    if version is None or not identifier or len(rest) not in (0, 1, 4):
        raise SourceMissing("The path must be like {identifier}/info.json; encode slashes of an identifier as %2F")
    key = parse_key(identifier)
    if rest in ([], [""]):
        return BaseRequest(key, identifier, version=version)
    if rest == [INFO_JSON]:
        return InfoRequest(key, identifier, version=version)
    if len(rest) == 1:
        raise SourceMissing("The path must be like {identifier}/{region}/{size}/{rotation}/{quality}.{format}")
    return _parse_image(key, identifier, version, [decode_text(part, BadOption, BAD_PATH) for part in rest])


def _parse_image(key: str, identifier: str, version: Version, parts: list[str]) -> ImageRequest:
    region, size, rotation, file_name = parts
    quality, _, output = file_name.rpartition(".")
    parsed = ImageRequest(
        key,
        identifier,
        parse_region(region),
        parse_size(size, version),
        parse_rotation(rotation),
        quality,
        output,
        (region, size, rotation, quality, output),
        version=version,
    )
    if quality not in QUALITIES:
        raise bad_parameter("quality", f"one of {', '.join(QUALITIES)}", quality)
    if output in UNSUPPORTED_FORMATS:
        raise BadOption(f"format {output} is not supported: {UNSUPPORTED_FORMATS[output]}", option="format")
    if output not in FORMATS:
        raise bad_parameter("format", f"one of {', '.join(FORMATS)}", output)
    return parsed
