"""XMP (ISO 16684-1), of which the properties on the top level are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from ..safe_xml import XmlElement, parse_xml
from .image_metadata import (
    GpsLocation,
    ImageMetadata,
    build_location,
    clean_text,
    clean_url,
    join_make_and_model,
    parse_source_type,
    parse_timestamp,
)

MAX_ELEMENTS = 20_000
"""Editors keep every brush stroke in XMP."""
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_PHOTOSHOP = "{http://ns.adobe.com/photoshop/1.0/}"
_XMP = "{http://ns.adobe.com/xap/1.0/}"
_TIFF = "{http://ns.adobe.com/tiff/1.0/}"
_EXIF = "{http://ns.adobe.com/exif/1.0/}"
_AUX = "{http://ns.adobe.com/exif/1.0/aux/}"
_EXIF_EX = "{http://cipa.jp/exif/1.0/}"
_XMP_RIGHTS = "{http://ns.adobe.com/xap/1.0/rights/}"
_CC = "{http://creativecommons.org/ns#}"
_PLUS = "{http://ns.useplus.org/ldf/xmp/1.0/}"
_IPTC_CORE = "{http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/}"
_IPTC_EXT = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
_DC_TERMS = "{http://purl.org/dc/terms/}"
_DEGREES = re.compile(r"(\d{1,3})(?:,(\d{1,2}(?:\.\d{1,12})?))?(?:,(\d{1,2}(?:\.\d{1,12})?))?([NSEW])", re.ASCII)
_FRACTION = re.compile(r"(\d{1,12})(?:/(\d{1,12}))?", re.ASCII)


def parse_xmp(packet: bytes) -> ImageMetadata:
    """Parse an XMP packet, or the RDF within an SVG; raise ValueError where it is not well-formed XML."""
    described = _find_descriptions(parse_xml(packet.strip(b"\0 \r\n\t"), max_elements=MAX_ELEMENTS))
    properties = _read_properties(described)
    licensor = _read_licensor(described)

    def first(*names: str, read_as: Callable[[str], str] = clean_text) -> str:
        return next(filter(None, (read_as(properties.get(name, "")) for name in names)), "")

    return ImageMetadata(
        captured_at=first(_PHOTOSHOP + "DateCreated", _EXIF + "DateTimeOriginal", read_as=parse_timestamp),
        digitised_at=first(_XMP + "CreateDate", _EXIF + "DateTimeDigitized", read_as=parse_timestamp),
        camera=join_make_and_model(properties.get(_TIFF + "Make", ""), properties.get(_TIFF + "Model", "")),
        lens=first(_EXIF_EX + "LensModel", _AUX + "Lens"),
        creator=first(_DC + "creator", _TIFF + "Artist"),
        copyright=first(_DC + "rights", _TIFF + "Copyright"),
        credit=first(_PHOTOSHOP + "Credit"),
        licence_url=first(_XMP_RIGHTS + "WebStatement", _CC + "license", read_as=clean_url),
        licensor=clean_text(licensor.get(_PLUS + "LicensorName", "")),
        licensor_url=clean_url(licensor.get(_PLUS + "LicensorURL", "")),
        digital_source_type=first(
            _IPTC_EXT + "DigitalSourceType", _IPTC_EXT + "DigitalSourcefileType", read_as=parse_source_type
        ),
        title=first(_DC + "title"),
        alt_text=first(_IPTC_CORE + "AltTextAccessibility"),
        extended_description=first(_IPTC_CORE + "ExtDescrAccessibility"),
        manifest_url=first(_DC_TERMS + "provenance", read_as=clean_url),
        location=_read_location(properties),
    )


def _find_descriptions(root: XmlElement) -> list[XmlElement]:
    """The descriptions of the image itself; what is within their properties belongs to something else."""
    rdf = next((element for element in root.walk() if element.name == _RDF + "RDF"), root)
    return list(rdf.iter_children())


def _read_properties(descriptions: Iterable[XmlElement]) -> dict[str, str]:
    """The properties of the image by name."""
    found: dict[str, str] = {}
    for described in descriptions:
        for name, value in described.attributes.items():
            found.setdefault(name, value)
        for element in described.iter_children():
            if element.name not in found:
                found[element.name] = _value(element)
    return found


def _read_licensor(descriptions: Iterable[XmlElement]) -> dict[str, str]:
    """The properties of the first licensor by name (PLUS License Data Format): a list of structures."""
    listed = (element for described in descriptions for element in described.iter_children())
    lists = (element for element in listed if element.name == _PLUS + "Licensor")
    items = (item for element in lists for item in element.walk() if item.name == _RDF + "li")
    first = next(items, None)
    found: dict[str, str] = {}
    for part in first.walk() if first else ():
        found |= {part.name: _text(part), **part.attributes}
    return found


def _value(element: XmlElement) -> str:
    """The text of a property: of an alternative the default language, of a list all."""
    items = [(below.attributes, _text(below)) for below in element.walk() if below.name == _RDF + "li"]
    if not items:
        return _text(element) or element.attributes.get(_RDF + "resource", "")
    if any(below.name == _RDF + "Alt" for below in element.iter_children()):
        return next((text for given, text in items if "x-default" in given.values()), items[0][1])
    return clean_text(text for _, text in items)


def _text(element: XmlElement) -> str:
    return " ".join(below.text for below in element.walk()).strip()


def _read_location(properties: dict[str, str]) -> GpsLocation | None:
    latitude, longitude = (_parse_degrees(properties.get(_EXIF + name, "")) for name in ("GPSLatitude", "GPSLongitude"))
    height = _FRACTION.fullmatch(properties.get(_EXIF + "GPSAltitude", "").strip())
    bottom = int(height[2] or 1) if height else 0
    sign = -1 if properties.get(_EXIF + "GPSAltitudeRef", "").strip() == "1" else 1
    return build_location(latitude, longitude, sign * int(height[1]) / bottom if height and bottom else None)


def _parse_degrees(text: str) -> float | None:
    """Degrees, minutes and perhaps seconds, then the direction: ``52,30.5N``."""
    found = _DEGREES.fullmatch(text.strip())
    if found is None:
        return None
    degrees = sum(float(part or 0) / 60.0**power for power, part in enumerate(found.groups()[:3]))
    return -degrees if found[4] in "SW" else degrees
