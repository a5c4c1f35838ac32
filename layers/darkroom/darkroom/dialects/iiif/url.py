"""From a path to what it asks for, in words: section 2."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...errors import BadOption, SourceMissing
from ...plan.keys import parse_key, unquote
from ..registry import encode_identifier
from .features import FORMATS, QUALITIES, UNSUPPORTED_FORMATS
from .parameters import Region, Rotation, Scale, bad_parameter, parse_region, parse_rotation, parse_size
from .version import V3, VERSIONS, Version

INFO_JSON = "info.json"


@dataclass(frozen=True, slots=True)
class ImageReference:
    """A picture by its ``key``. ``identifier`` is the key as the URL spells it."""

    key: str
    identifier: str
    version: Version = field(default=V3, kw_only=True)

    @property
    def canonical_identifier(self) -> str:
        """The one spelling of the identifier under which anything is answered: a purge has to know it."""
        return encode_identifier(self.key)


@dataclass(frozen=True, slots=True)
class BaseRequest(ImageReference):
    """The picture's own address, which leads to its information."""


@dataclass(frozen=True, slots=True)
class InfoRequest(ImageReference):
    """``info.json``."""


@dataclass(frozen=True, slots=True)
class ImageRequest(ImageReference):
    """A picture. ``words`` are region, size, rotation, quality and format as the URL spells them, decoded."""

    region: Region
    size: Scale
    rotation: Rotation
    quality: str
    format: str
    parameters: tuple[str, str, str, str, str]


def parse(target: str) -> BaseRequest | InfoRequest | ImageRequest:
    """What ``target`` asks for: a path, not decoded, that begins with a version's prefix; a query says nothing here.

    Raises SourceMissing where it has not the shape of such a path, BadKey, or BadOption, which names the parameter.
    """
    path = target.partition("?")[0]
    version = next((version for version in VERSIONS if path.startswith(version.prefix)), None)
    identifier, *rest = path[len(V3.prefix) :].split("/")
    if version is None or not identifier or len(rest) not in (0, 1, 4):
        raise SourceMissing("The path is not like {identifier}/info.json: slashes of an identifier are written %2F")
    key = parse_key(identifier)
    if rest in ([], [""]):
        return BaseRequest(key, identifier, version=version)
    if rest == [INFO_JSON]:
        return InfoRequest(key, identifier, version=version)
    if len(rest) == 1:
        raise SourceMissing("The path is not like {identifier}/{region}/{size}/{rotation}/{quality}.{format}")
    return _parse_image(key, identifier, version, [_decode(part) for part in rest])


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
        raise BadOption(f"format {output} is not served here: {UNSUPPORTED_FORMATS[output]}", option="format")
    if output not in FORMATS:
        raise bad_parameter("format", f"one of {', '.join(FORMATS)}", output)
    return parsed


def _decode(part: str) -> str:
    """Clients may encode what needs none, above all ``^``; raises BadOption."""
    try:
        return unquote(part)
    except (UnicodeError, ValueError) as error:
        raise BadOption("The path is not percent-encoded UTF-8", detail=str(error)) from error
