"""Files that state rights, and the rights that independent readers find in a file."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyvips
from PIL import Image, PngImagePlugin

from .exiftool import EXIFTOOL
from .metadata_files import packet
from .sources import photo, saved

RIGHTS = {
    "creator": "Ann Ä; Bob",
    "copyright": "© 2024 Ann & <Bob>",
    "credit": 'Agency "One"',
    "licence_url": "https://example.com/licence?a=1&b=2",
    "licensor": "Example Agency Ltd",
    "licensor_url": "https://example.com/buy",
    "digital_source_type": "trainedAlgorithmicMedia",
}
"""What :func:`with_rights` states, as the index has it."""

_PROPERTIES = (
    "<dc:creator><rdf:Seq><rdf:li>Ann Ä</rdf:li><rdf:li>Bob</rdf:li></rdf:Seq></dc:creator>"
    "<dc:rights><rdf:Alt><rdf:li xml:lang='x-default'>© 2024 Ann &amp; &lt;Bob&gt;</rdf:li></rdf:Alt></dc:rights>"
    "<plus:Licensor><rdf:Seq><rdf:li rdf:parseType='Resource'><plus:LicensorName>Example Agency Ltd</plus:LicensorName>"
    "<plus:LicensorURL>https://example.com/buy</plus:LicensorURL></rdf:li>"
    "<rdf:li rdf:parseType='Resource'><plus:LicensorName>Another</plus:LicensorName></rdf:li></rdf:Seq></plus:Licensor>"
    "<Iptc4xmpExt:DigitalSourceType rdf:resource='http://cv.iptc.org/newscodes/digitalsourcetype/"
    "trainedAlgorithmicMedia'/>"
)
_ATTRIBUTES = (
    "photoshop:Credit='Agency &quot;One&quot;' xmpRights:WebStatement='https://example.com/licence?a=1&amp;b=2' "
    "exif:GPSLatitude='52,30.5N' exif:GPSLongitude='13,20.5E' tiff:Make='Secret' photoshop:City='Secret'"
)

_EXIFTOOL_NAMES = {
    "XMP-dc:Creator": "creator",
    "XMP-dc:Rights": "copyright",
    "XMP-photoshop:Credit": "credit",
    "XMP-xmpRights:WebStatement": "licence_url",
    "XMP-plus:LicensorName": "licensor",
    "XMP-plus:LicensorURL": "licensor_url",
    "XMP-iptcExt:DigitalSourceType": "digital_source_type",
    "IFD0:Artist": "exif artist",
    "IFD0:Copyright": "exif copyright",
}
_IGNORED = ("SourceFile", "XMP-x:XMPToolkit", "ExifTool:Warning")


def rights_packet(properties: str = _PROPERTIES, attributes: str = _ATTRIBUTES) -> str:
    """The XMP packet of :data:`RIGHTS`, with a place and a camera besides."""
    return packet(properties, attributes)


def with_rights(form: str = "JPEG", image: Image.Image | None = None) -> bytes:
    """A photograph of Pillow's format ``form`` with :data:`RIGHTS`, and EXIF with a place and a camera."""
    exif = Image.Exif()
    exif.update({0x010F: "Secret", 0x0110: "Secret camera"})
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 30.0, 30.0), 3: "E", 4: (13.0, 20.0, 30.0)})
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", rights_packet())
    packet_options = {"pnginfo": text} if form == "PNG" else {"xmp": rights_packet().encode()}
    return saved(image or photo(), form, exif=exif.tobytes(), **packet_options)


def read_by_exiftool(*paths: Path) -> list[dict[str, Any]]:
    """For each file all EXIF, XMP and IPTC that ExifTool finds: rights by our names, all else by ExifTool's."""
    assert EXIFTOOL is not None
    command = [EXIFTOOL, "-G1", "-a", "-s", "-j", "-n", "-EXIF:all", "-XMP:all", "-IPTC:all", "-GPS:all", "-warning"]
    done = subprocess.run([*command, *map(str, paths)], capture_output=True, check=True, text=True)
    return [
        {_EXIFTOOL_NAMES.get(tag, tag): value for tag, value in entry.items() if tag not in _IGNORED}
        for entry in json.loads(done.stdout)
    ]


def read_packets(body: bytes) -> list[ElementTree.Element]:
    """The XMP packets anywhere in a file, each parsed by ElementTree."""
    found, at = [], 0
    while (start := body.find(b"<x:xmpmeta", at)) >= 0:
        at = body.index(b"</x:xmpmeta>", start) + len(b"</x:xmpmeta>")
        found.append(ElementTree.fromstring(body[start:at]))
    return found


def read_exif(body: bytes) -> dict[int, Any]:
    """The tags of a file's EXIF, by Pillow, which takes UTF-8 for Latin-1."""
    found = Image.open(io.BytesIO(body)).getexif()
    return {tag: text.encode("latin-1").decode() if isinstance(text, str) else text for tag, text in found.items()}


def pixels_of(body: bytes) -> bytes:
    """All decoded values of a file, by libvips."""
    image = pyvips.Image.new_from_buffer(body, "")
    values: bytes = image.write_to_memory()
    return values
