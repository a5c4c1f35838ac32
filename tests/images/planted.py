"""Images in every format with all private metadata that it can carry, each with the word ``secret``."""

from __future__ import annotations

import io
import struct
from functools import cache

import pyvips
from PIL import Image, PngImagePlugin, TiffImagePlugin

from darkroom.imaging.formats.bmff.container import Box

from .drawn import HEIC, animation
from .heif_files import Part, heif, parts_of
from .sources import SVG, cutout, photo, saved

XMP = b"""<?xpacket begin='\xef\xbb\xbf' id='W5M0MpCehiHzreSzNTczkc9d'?>
<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>
<rdf:Description rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:exif='http://ns.adobe.com/exif/1.0/'
 exif:GPSLatitude='52,30.5N' exif:GPSLongitude='13,22.25E'>
<dc:creator><rdf:Seq><rdf:li>secret author</rdf:li></rdf:Seq></dc:creator></rdf:Description>
</rdf:RDF></x:xmpmeta><?xpacket end='w'?>"""
IIM = b"\x1c\x02\x50\x00\x0dsecret byline" + b"\x1c\x02\x74\x00\x10secret copyright"


@cache
def exif(orientation: int = 1) -> bytes:
    """A TIFF structure with camera, owner, GPS, a maker note and a thumbnail."""
    block = Image.Exif()
    block.endian = "<"
    block.update({0x010F: "secret maker", 0x0110: "secret model", 0x0112: orientation, 0x013B: "secret artist"})
    block.get_ifd(0x8769).update({0x9003: "2024:05:06 07:08:09", 0x927C: b"secret note" * 20, 0xA431: "secret serial"})
    block.get_ifd(0x8825).update({1: "N", 2: (52.0, 30.0, 0.0), 3: "E", 4: (13.0, 22.0, 0.0)})
    return with_thumbnail(block.tobytes().removeprefix(b"Exif\0\0"))


def with_thumbnail(block: bytes) -> bytes:
    """A little-endian EXIF block with a second directory, of a small JPEG."""
    assert block[:2] == b"II"
    (first,) = struct.unpack_from("<I", block, 4)
    following = first + 2 + 12 * struct.unpack_from("<H", block, first)[0]
    thumbnail = saved(photo().resize((16, 12)), "JPEG", comment=b"secret thumbnail")
    places = (0x0201, 4, 1, len(block) + 30), (0x0202, 4, 1, len(thumbnail))
    directory = struct.pack("<H", 2) + b"".join(struct.pack("<HHII", *entry) for entry in places) + bytes(4)
    return block[:following] + struct.pack("<I", len(block)) + block[following + 4 :] + directory + thumbnail


@cache
def display_p3(text: bytes = b"secret") -> bytes:
    """The profile of Display P3 with ``text`` as description, copyright, manufacturer and a private tag."""
    plain = bytes(pyvips.Image.profile_load("p3"))
    (count,) = struct.unpack_from(">I", plain, 128)
    entries = [struct.unpack_from(">4sII", plain, 132 + 12 * index) for index in range(count)]
    elements = {name: plain[offset : offset + length] for name, offset, length in entries}
    spoken = b"mluc" + bytes(4) + struct.pack(">II4sII", 1, 12, b"enUS", len(text), 28) + text
    elements |= dict.fromkeys((b"desc", b"cprt", b"dmnd"), spoken) | {b"prVt": b"data" + bytes(8) + text}
    at, table, body = 132 + 12 * len(elements), b"", b""
    for name, element in elements.items():
        table += struct.pack(">4sII", name, at + len(body), len(element))
        body += element + bytes(-len(element) % 4)
    header = (at + len(body)).to_bytes(4) + plain[4:48] + text[:4] + text[:4] + plain[56:80] + text[:4] + plain[84:128]
    return header + len(elements).to_bytes(4) + table + body


def in_jpeg(jpeg: bytes, orientation: int = 1, *, block: bytes | None = None) -> bytes:
    """A JPEG with EXIF, XMP, IPTC and a comment in front, and a trailer."""
    irb = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + len(IIM).to_bytes(4) + IIM + b"\0" * (len(IIM) & 1)
    parts = (
        (0xE1, b"Exif\0\0" + (exif(orientation) if block is None else block)),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP),
        (0xED, irb),
        (0xEC, b"secret vendor"),
        (0xFE, b"secret comment"),
    )
    segments = b"".join(b"\xff" + bytes([marker]) + (len(body) + 2).to_bytes(2) + body for marker, body in parts)
    return jpeg[:2] + segments + jpeg[2:] + b"secret trailer"


def in_png(image: Image.Image, orientation: int = 1, **options: object) -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "secret author")
    info.add_text("Comment", "secret comment", zip=True)
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    return saved(image, "PNG", pnginfo=info, exif=exif(orientation), **options) + b"secret trailer"


def in_webp(image: Image.Image, orientation: int = 1, **options: object) -> bytes:
    return saved(image, "WEBP", exif=exif(orientation), xmp=XMP, **options) + b"secret trailer"


def in_gif(gif: bytes) -> bytes:
    at = 13 + (3 << (gif[10] & 7) + 1) if gif[10] & 0x80 else 13
    comment = b"\x21\xfe\x0esecret comment\0"
    xmp = b"\x21\xff\x0bXMP DataXMP" + XMP + b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    return gif[:at] + comment + xmp + gif[at:] + b"secret trailer"


def in_heif(data: bytes, *, brand: bytes, turn: bytes = b"") -> bytes:
    """A HEIF file with EXIF, XMP, a thumbnail, a hidden image, a description and unknown boxes besides.

    ``turn`` is what its ``irot`` carries.
    """
    first, *others = [part for part in parts_of(data) if part.kind not in (b"Exif", b"mime")]
    metadata = (Box(b"udes", b"\0\0\0\0en\0secret title\0secret text\0\0"),)
    turned = (Box(b"irot", turn),) if turn else ()
    primary = Part(first.kind, first.body, first.properties + turned + metadata, first.references)
    extra = (
        Part(b"Exif", bytes(4) + exif(), references=((b"cdsc", (1,)),), name=b"secret name"),
        Part(b"mime", XMP, references=((b"cdsc", (1,)),), content_type=b"application/rdf+xml\0"),
        Part(first.kind, first.body, first.properties, ((b"thmb", (1,)),), name=b"secret thumbnail"),
        Part(first.kind, first.body, first.properties, name=b"secret image"),
        Part(b"uri ", b"secret data", name=b"secret"),
    )
    unknown = b"\0\0\0\x1euuid" + bytes(16) + b"secret"
    return heif([primary, *others, *extra], brand=brand, extra=unknown)


def in_tiff(image: Image.Image, orientation: int = 1, **options: object) -> bytes:
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info.update({270: "secret description", 271: "secret maker", 315: "secret artist", 33432: "secret copyright"})
    info[274] = orientation
    info[700] = XMP
    info.tagtype[700] = 1
    info[33723] = IIM
    info.tagtype[33723] = 7
    block = Image.Exif()
    block.get_ifd(0x8769).update({0x9003: "2024:05:06 07:08:09", 0xA431: "secret serial"})
    block.get_ifd(0x8825).update({1: "N", 2: (52.0, 30.0, 0.0), 3: "E", 4: (13.0, 22.0, 0.0)})
    info[34665], info[34853] = block.get_ifd(0x8769), block.get_ifd(0x8825)
    return saved(image, "TIFF", tiffinfo=info, **options)


def in_svg() -> bytes:
    start = SVG.index(b">") + 1
    rdf = XMP[XMP.index(b"<rdf:RDF") : XMP.index(b"</x:xmpmeta>")]
    return SVG[:start] + b"<title>secret title</title><!-- secret --><metadata>" + rdf + b"</metadata>" + SVG[start:]


@cache
def planted() -> dict[str, bytes]:
    """Files by name."""
    rgb, clear = photo(), cutout()
    sheet = io.BytesIO()
    rgb.save(sheet, "TIFF", save_all=True, append_images=[rgb.convert("L").resize((90, 70)), clear])
    return {
        "jpeg": in_jpeg(saved(rgb, "JPEG", quality=90)),
        "jpeg progressive": in_jpeg(saved(rgb, "JPEG", quality=90, progressive=True)),
        "jpeg grey": in_jpeg(saved(rgb.convert("L"), "JPEG", quality=90)),
        "jpeg cmyk": in_jpeg(saved(rgb.convert("CMYK"), "JPEG", quality=95)),
        "jpeg profile": in_jpeg(saved(rgb, "JPEG", quality=90, icc_profile=display_p3())),
        "png": in_png(rgb),
        "png profile": in_png(rgb, icc_profile=display_p3()),
        "png alpha": in_png(clear),
        "png palette": in_png(rgb.quantize(64)),
        "webp": in_webp(rgb, quality=90),
        "webp profile": in_webp(rgb, quality=90, icc_profile=display_p3()),
        "webp alpha": in_webp(clear, lossless=True),
        "webp animated": in_webp(rgb, save_all=True, append_images=[rgb.rotate(180)], duration=70, lossless=True),
        "gif": in_gif(saved(rgb, "GIF")),
        "gif animated": in_gif(animation("GIF")),
        "avif": in_heif(saved(rgb, "AVIF", quality=80), brand=b"avif"),
        "avif alpha": in_heif(saved(clear, "AVIF", quality=80), brand=b"avif"),
        "avif profile": in_heif(saved(rgb, "AVIF", quality=80, icc_profile=display_p3()), brand=b"avif"),
        "avif of pillow": saved(rgb, "AVIF", quality=80, exif=exif(), xmp=XMP),
        "heic": in_heif((HEIC / "corners-turned-6.heic").read_bytes(), brand=b"heic"),
        "tiff": in_tiff(rgb),
        "tiff profile": in_tiff(rgb, icc_profile=display_p3()),
        "tiff alpha": in_tiff(clear),
        "tiff of three pages": sheet.getvalue(),
        "svg": in_svg(),
    }
