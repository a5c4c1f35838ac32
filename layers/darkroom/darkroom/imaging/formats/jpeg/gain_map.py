"""Parse and format gain map metadata: how a map brightens its base image, in two notations.

XMP (``hdrgm``, Adobe's gain map specification 1.0) and the binary block of ISO 21496-1 hold the same: logarithms to
base 2 except for gamma and the offsets, one value for all channels or one each.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import chain

from ..metadata.rights import NO_XMP, RDF, XmpDescription
from .container import HDRGM

type Channels = tuple[float, ...]

_MULTI_CHANNEL, _BASE_COLOUR_SPACE, _COMMON_DENOMINATOR, _BASE_IS_HDR = 0x80, 0x40, 0x08, 0x04
_DENOMINATOR = 1_000_000
MAX_ELEMENTS = 1_000
"""Of an XMP packet; a gain map's has about ten."""
_DEFAULT_OFFSET = (1 / 64,)
VERSION_ONLY = b"\0\0\0\0"
"""The ISO block of the base image: minimum and writer version."""


@dataclass(frozen=True, slots=True)
class GainMapMetadata:
    """How to apply a gain map. ``minimum``, ``maximum`` and the two capacities are stops."""

    minimum: Channels
    maximum: Channels
    gamma: Channels
    offset_sdr: Channels
    offset_hdr: Channels
    capacity_min: float
    capacity_max: float

    @property
    def sides(self) -> tuple[Channels, ...]:
        """The numbers that channels may have of their own, in the order of the fields."""
        return self.minimum, self.maximum, self.gamma, self.offset_sdr, self.offset_hdr

    def __post_init__(self) -> None:
        """Raise ValueError for numbers that no image can have."""
        values = (*chain.from_iterable(self.sides), self.capacity_min, self.capacity_max)
        if not all(math.isfinite(value) and abs(value) < 2000 for value in values):
            raise ValueError("a number is out of range")
        if min(self.gamma) <= 0 or self.capacity_max <= self.capacity_min or self.capacity_min < 0:
            raise ValueError("gamma or capacity is out of range")


def parse_iso(body: bytes) -> GainMapMetadata:
    """Read an ISO 21496-1 block, after its URN; raises ValueError if it is cut off or its base is the HDR image."""
    if len(body) < 5 or body[4] & _BASE_IS_HDR:
        raise ValueError("no gain map for an SDR base")
    channels = 3 if body[4] & _MULTI_CHANNEL else 1
    common = bool(body[4] & _COMMON_DENOMINATOR)
    words = [body[at : at + 4] for at in range(5, len(body) - 3, 4)]
    pairs = [(word, words[0]) for word in words[1:]] if common else zip(words[::2], words[1::2], strict=False)
    values = [_fraction(top, bottom) for top, bottom in pairs]
    if len(values) < 2 + 5 * channels:
        raise ValueError("the gain map's block is cut off")
    low, high, gamma, sdr, hdr = (tuple(values[2 + at : 2 + 5 * channels : 5]) for at in range(5))
    return GainMapMetadata(low, high, gamma, sdr, hdr, values[0], values[1])


def _fraction(numerator: bytes, denominator: bytes) -> float:
    divisor = int.from_bytes(denominator)
    return int.from_bytes(numerator, signed=True) / divisor if divisor else math.nan


def format_iso(parameters: GainMapMetadata) -> bytes:
    """The ISO 21496-1 block of a gain map, after its URN."""
    p = parameters
    channels = max(map(len, p.sides))
    rows = [side * channels if len(side) == 1 else side for side in p.sides]
    values = [p.capacity_min, p.capacity_max, *(row[channel] for channel in range(channels) for row in rows)]
    flags = _BASE_COLOUR_SPACE | _COMMON_DENOMINATOR | (_MULTI_CHANNEL if channels == 3 else 0)
    words = [_DENOMINATOR, *(round(value * _DENOMINATOR) for value in values)]
    return VERSION_ONLY + bytes([flags]) + b"".join(word.to_bytes(4, signed=True) for word in words)


def parse_xmp(packet: bytes) -> GainMapMetadata:
    """Read a gain map's XMP packet; raises ValueError where it has no usable numbers or its base is the HDR image."""
    from ..safe_xml import parse_xml  # not needed for any other JPEG

    found: dict[str, list[str]] = {}
    for element in parse_xml(packet.strip(b"\0 \r\n\t"), max_elements=MAX_ELEMENTS).walk():
        if element.name == f"{{{RDF}}}Description":
            found |= {name: [value] for name, value in element.attributes.items()}
            for child in element.iter_children():
                items = [item.text for item in child.walk() if item.name == f"{{{RDF}}}li"]
                found[child.name] = items or [child.text]
    return _from_properties({name.removeprefix(f"{{{HDRGM}}}"): words for name, words in found.items()})


def _from_properties(found: dict[str, list[str]]) -> GainMapMetadata:
    if found.get("BaseRenditionIsHDR", ["False"])[0].strip().lower() == "true" or "GainMapMax" not in found:
        raise ValueError("no gain map for an SDR base")

    def channels(name: str, default: Channels) -> Channels:
        words = found.get(name)
        values = tuple(float(word) for word in words) if words else default
        if len(values) not in (1, 3):
            raise ValueError(f"{name} has {len(values)} values")
        return values

    maximum = channels("GainMapMax", ())
    return GainMapMetadata(
        channels("GainMapMin", (0.0,)),
        maximum,
        channels("Gamma", (1.0,)),
        channels("OffsetSDR", _DEFAULT_OFFSET),
        channels("OffsetHDR", _DEFAULT_OFFSET),
        channels("HDRCapacityMin", (0.0,))[0],
        channels("HDRCapacityMax", (max(maximum),))[0],
    )


def format_map_xmp(parameters: GainMapMetadata) -> bytes:
    """The XMP packet of a gain map."""
    p = parameters
    attributes = {
        "Version": "1.0",
        "HDRCapacityMin": _format_number(p.capacity_min),
        "HDRCapacityMax": _format_number(p.capacity_max),
        "BaseRenditionIsHDR": "False",
    }
    sides = {
        "GainMapMin": p.minimum,
        "GainMapMax": p.maximum,
        "Gamma": p.gamma,
        "OffsetSDR": p.offset_sdr,
        "OffsetHDR": p.offset_hdr,
    }
    attributes |= {name: _format_number(side[0]) for name, side in sides.items() if len(side) == 1}
    lists = "".join(_format_list(name, side) for name, side in sides.items() if len(side) > 1)
    return XmpDescription(
        f'xmlns:hdrgm="{HDRGM}"' + "".join(f' hdrgm:{name}="{text}"' for name, text in attributes.items()), lists
    ).packet


def format_base_xmp(map_bytes: int, description: XmpDescription = NO_XMP) -> bytes:
    """The XMP packet of a base image that ``map_bytes`` bytes of gain map follow, with ``description`` besides."""
    container = "http://ns.google.com/photos/1.0/container/"
    names = f'xmlns:Container="{container}" xmlns:Item="{container}item/" xmlns:hdrgm="{HDRGM}" hdrgm:Version="1.0"'
    items = ('Item:Semantic="Primary"', f'Item:Semantic="GainMap" Item:Length="{map_bytes}"')
    listed = "".join(
        f'<rdf:li rdf:parseType="Resource"><Container:Item Item:Mime="image/jpeg" {item}/></rdf:li>' for item in items
    )
    directory = f"<Container:Directory><rdf:Seq>{listed}</rdf:Seq></Container:Directory>"
    attributes = " ".join(filter(None, (names, description.attributes)))
    return XmpDescription(attributes, directory + description.content).packet


def _format_list(name: str, side: Channels) -> str:
    items = "".join(f"<rdf:li>{_format_number(value)}</rdf:li>" for value in side)
    return f"<hdrgm:{name}><rdf:Seq>{items}</rdf:Seq></hdrgm:{name}>"


def _format_number(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")
