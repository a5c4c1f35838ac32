"""Files with given metadata, and the provenance that is read from them."""

from __future__ import annotations

import json
from typing import Any

from PIL import Image

from darkroom.imaging.formats.metadata.provenance import read_provenance
from darkroom.imaging.formats.probe import probe
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits

from .sources import photo, saved


def provenance_of(data: bytes, *, keep_gps: bool = True) -> dict[str, Any]:
    found = read_provenance(data, probe(Source.from_bytes(data), Limits()), keep_gps=keep_gps)
    assert json.loads(json.dumps(found)) == found
    return found


def exif(
    main: dict[int, Any], shot: dict[int, Any] | None = None, gps: dict[int, Any] | None = None, order: str = "<"
) -> bytes:
    block = Image.Exif()
    block.endian = order
    block.update(main)
    if shot:
        block.get_ifd(0x8769).update(shot)
    if gps:
        block.get_ifd(0x8825).update(gps)
    return block.tobytes().removeprefix(b"Exif\0\0")


def jpeg(*, block: bytes = b"", packet: str = "", datasets: bytes = b"", digest: bytes = b"") -> bytes:
    """A JPEG with nothing but these."""
    parts = []
    if block:
        parts.append((0xE1, b"Exif\0\0" + block))
    if packet:
        parts.append((0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet.encode()))
    if datasets:
        irb = b"8BIM\x04\x04\0\0" + len(datasets).to_bytes(4) + datasets + b"\0" * (len(datasets) & 1)
        if digest:
            irb += b"8BIM\x04\x25\0\0\0\0\0\x10" + digest
        parts.append((0xED, b"Photoshop 3.0\0" + irb))
    plain = saved(photo().resize((8, 8)), "JPEG")
    segments = b"".join(b"\xff" + bytes([marker]) + (len(body) + 2).to_bytes(2) + body for marker, body in parts)
    return plain[:2] + segments + plain[2:]


def packet(properties: str = "", attributes: str = "") -> str:
    names = {
        "dc": "http://purl.org/dc/elements/1.1/",
        "photoshop": "http://ns.adobe.com/photoshop/1.0/",
        "xmp": "http://ns.adobe.com/xap/1.0/",
        "tiff": "http://ns.adobe.com/tiff/1.0/",
        "exif": "http://ns.adobe.com/exif/1.0/",
        "aux": "http://ns.adobe.com/exif/1.0/aux/",
        "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
        "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
        "cc": "http://creativecommons.org/ns#",
        "plus": "http://ns.useplus.org/ldf/xmp/1.0/",
        "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
        "dcterms": "http://purl.org/dc/terms/",
    }
    spaces = " ".join(f"xmlns:{short}='{name}'" for short, name in names.items())
    return (
        "<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>"
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
        f"<rdf:Description rdf:about='' {spaces} {attributes}>{properties}</rdf:Description></rdf:RDF></x:xmpmeta>"
        "<?xpacket end='w'?>"
    )


def datasets(*pairs: tuple[int, int, bytes]) -> bytes:
    return b"".join(bytes((0x1C, record, number)) + len(value).to_bytes(2) + value for record, number, value in pairs)
