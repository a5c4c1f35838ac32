"""The rights in an image: who made it, whose it is, and on what terms it may be used.

Ingest reads them from an upload (:mod:`.provenance`) and stores them as text in the metadata of its master. Files that
state them have an XMP packet, and EXIF for readers without XMP. All texts are from uploads: they are limited in length
and escaped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from ..image_format import ORIENTATION_TAG

MAX_TEXT_BYTES = 1_400
"""Of :attr:`Rights.text`. S3 allows 2,048 bytes of user metadata ("Working with object metadata", S3 user guide); the
other fields of a master take 350."""

NO_TEXT = "-"
"""The text of an image without rights."""

_LIMITS = (500, 250, 120, 60, 30, 15)
"""Characters of each text, tried one after the other until the text fits. At 15 it fits with texts of any kind."""

_ARTIST_TAG, _COPYRIGHT_TAG = 0x013B, 0x8298
_ASCII, _ONE_SHORT = b"\0\2", b"\0\3\0\0\0\1"
_DIRECTORY_AT, _ENTRY_BYTES, _INLINE_BYTES = 24, 12, 4
"""Not directly behind the header, at 8: in a PNG, ExifTool counts offsets in EXIF and in Content Credentials from zero,
and skips a directory where a box began. Bytes 16 to 31 of these are a UUID (ISO/IEC 19566-5, description box)."""

_ILLEGAL = re.compile("[\0-\x1f\ud800-\udfff\ufffe\uffff]")

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_NAMESPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "plus": "http://ns.useplus.org/ldf/xmp/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
}


@dataclass(frozen=True, slots=True)
class Rights:
    """The rights in one image, and texts about it, empty where they are not stated.

    The fields are those of :func:`.provenance.read_provenance`. ``content_credentials``: the upload has some. Files
    state the rights only, ``f=json`` the texts too.
    """

    creator: str = ""
    copyright: str = ""
    credit: str = ""
    licence_url: str = ""
    licensor: str = ""
    licensor_url: str = ""
    digital_source_type: str = ""
    content_credentials: bool = False
    title: str = ""
    alt_text: str = ""
    extended_description: str = ""

    @classmethod
    def from_provenance(cls, provenance: Mapping[str, Any]) -> Rights:
        """Return the rights in a document of :func:`.provenance.read_provenance`."""
        texts = {name: str(provenance.get(name, "")) for name in _TEXTS}
        return cls(**texts, content_credentials="content_credentials" in provenance)

    @classmethod
    def parse(cls, text: str) -> Rights | None:
        """Parse :attr:`text`; return None for anything else, such as metadata that another program has written."""
        import json
        from base64 import b64decode
        from zlib import decompressobj, error

        if text == NO_TEXT:
            return NO_RIGHTS
        try:
            known = json.loads(decompressobj().decompress(b64decode(text, validate=True), 16 * MAX_TEXT_BYTES))
            return cls(
                **{name: str(known.get(name, "")) for name in _TEXTS}, content_credentials=bool(known.get("c2pa"))
            )
        except (ValueError, AttributeError, error):
            return None

    @property
    def text(self) -> str:
        """The rights as printable ASCII of at most :data:`MAX_TEXT_BYTES`: what is too long is shortened.

        An address that would be shortened is left out.
        """
        if self == NO_RIGHTS:
            return NO_TEXT
        packed = (_pack(self._shorten(limit)) for limit in _LIMITS)
        return next(text for text in packed if len(text) <= MAX_TEXT_BYTES)

    @property
    def document(self) -> dict[str, object]:
        """The rights as a JSON object, without what is not stated."""
        return {name: value for name, value in asdict(self).items() if value and name not in _ABOUT}

    @property
    def about(self) -> dict[str, object]:
        """The texts about the image as a JSON object, without what is not stated."""
        return {name: text for name in _ABOUT if (text := getattr(self, name))}

    def __bool__(self) -> bool:
        return bool(self.document)

    def _shorten(self, limit: int) -> dict[str, object]:
        """Return the fields with texts of at most ``limit`` characters, and addresses of at most twice as many."""
        texts = {name: getattr(self, name)[:limit] for name in _TEXTS if name not in _ADDRESSES}
        addresses = {name: address for name in _ADDRESSES if len(address := getattr(self, name)) <= 2 * limit}
        found = {name: text for name, text in (texts | addresses).items() if text}
        return found | ({"c2pa": 1} if self.content_credentials else {})


_ADDRESSES = ("licence_url", "licensor_url")
_ABOUT = ("title", "alt_text", "extended_description")
_TEXTS = ("creator", "copyright", "credit", "licensor", "digital_source_type", *_ADDRESSES, *_ABOUT)

NO_RIGHTS = Rights()


def _pack(document: Mapping[str, object]) -> str:
    import json
    from base64 import b64encode
    from zlib import compress

    return b64encode(compress(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(), 9)).decode()


class XmpDescription(NamedTuple):
    """What an XMP packet states: attributes with their namespaces, and elements."""

    attributes: str = ""
    content: str = ""

    def __bool__(self) -> bool:
        return bool(self.attributes)

    @property
    def packet(self) -> bytes:
        """The whole packet."""
        described = f'<rdf:Description rdf:about="" {self.attributes}>{self.content}</rdf:Description>'
        return (
            f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">{described}</rdf:RDF></x:xmpmeta>'.encode()
        )


NO_XMP = XmpDescription()


class ComposedMetadata(NamedTuple):
    """What is written into a file: an EXIF block, and XMP. Both are empty where there is nothing to state."""

    exif: bytes = b""
    xmp: XmpDescription = NO_XMP


def compose_metadata(rights: Rights, orientation: int = 1) -> ComposedMetadata:
    """Return the metadata of a file that is stored in ``orientation`` (EXIF, 1–8) and states ``rights``."""
    return ComposedMetadata(_build_exif(orientation, rights), _describe(rights))


def _build_exif(orientation: int, rights: Rights) -> bytes:
    """Build a block of one directory; texts are UTF-8, as other software writes them into ASCII fields."""
    named = ((_ARTIST_TAG, rights.creator), (_COPYRIGHT_TAG, rights.copyright))
    texts = [(tag, text.encode("utf-8", "replace") + b"\0") for tag, text in named if text]
    turned = [ORIENTATION_TAG.to_bytes(2) + _ONE_SHORT + bytes((0, orientation, 0, 0))] if orientation != 1 else []
    entries, values = list(turned), b""
    values_at = _DIRECTORY_AT + 2 + _ENTRY_BYTES * (len(turned) + len(texts)) + 4
    for tag, body in texts:
        inline = len(body) <= _INLINE_BYTES
        place = body.ljust(_INLINE_BYTES, b"\0") if inline else (values_at + len(values)).to_bytes(4)
        entries.append(tag.to_bytes(2) + _ASCII + len(body).to_bytes(4) + place)
        values += b"" if inline else body + b"\0" * (len(body) & 1)
    if not entries:
        return b""
    head = (b"MM\0\x2a" + _DIRECTORY_AT.to_bytes(4)).ljust(_DIRECTORY_AT, b"\0") + len(entries).to_bytes(2)
    return head + b"".join(entries) + bytes(4) + values


def _describe(rights: Rights) -> XmpDescription:
    """Describe ``rights`` by the properties of the IPTC Photo Metadata Standard 2023.2."""
    attributes = {
        "photoshop:Credit": rights.credit,
        "xmpRights:WebStatement": rights.licence_url,
        "Iptc4xmpExt:DigitalSourceType": rights.digital_source_type and SOURCE_TYPES + rights.digital_source_type,
    }
    licensor = {"plus:LicensorName": rights.licensor, "plus:LicensorURL": rights.licensor_url}
    contents = (
        ("dc:creator", "Seq", "".join(_element("rdf:li", name) for name in rights.creator.split("; ") if name)),
        ("dc:rights", "Alt", _element("rdf:li", rights.copyright, ' xml:lang="x-default"')),
        ("plus:Licensor", "Seq", _wrap("".join(_element(name, text) for name, text in licensor.items()))),
    )
    content = "".join(f"<{name}><rdf:{kind}>{items}</rdf:{kind}></{name}>" for name, kind, items in contents if items)
    stated = "".join(f' {name}="{_escape(text)}"' for name, text in attributes.items() if text)
    used = (prefix for prefix in _NAMESPACES if f"{prefix}:" in stated + content)
    spaces = " ".join(f'xmlns:{prefix}="{_NAMESPACES[prefix]}"' for prefix in used)
    return XmpDescription(spaces + stated, content)


def _element(name: str, text: str, attributes: str = "") -> str:
    return f"<{name}{attributes}>{_escape(text)}</{name}>" if text else ""


def _wrap(structure: str) -> str:
    return f'<rdf:li rdf:parseType="Resource">{structure}</rdf:li>' if structure else ""


def _escape(text: str) -> str:
    """Escape ``text`` for XML, without characters that XML 1.0 does not allow."""
    legal = _ILLEGAL.sub("", text)
    return legal.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
