"""Findings that a client sends with an upload, in a text that fits into S3's user metadata.

The text is unpadded base64url of compact JSON with ``faces`` (lists of left, top, width, height and score) and ``tags``
(lists of name and score), if given. Numbers are in ten-thousandths, positions in fractions of the upright image. A
meaning has one text. The signature (:mod:`.signing`) is over the key, the SHA-256 of the upload in hexadecimal and the
text, separated by line feeds, which a key does not have, so that it is valid for one image only.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from .errors import BadUpload
from .signing import Purpose, encode_base64url, is_signed, sign_message

T = TypeVar("T")

MAX_TEXT_BYTES = 1_800
"""Of the 2 KB that S3 allows for user metadata with names. Signature and declared checksum take 130 bytes."""

MAX_TAG_BYTES = 64

_SCALE = 10_000
_TOLERANCE = 1e-4
"""By how much a box may exceed the image, because of rounding by the client."""


class FaceBox(NamedTuple):
    """A face: box and score, in ten-thousandths."""

    left: int
    top: int
    width: int
    height: int
    score: int


class Tag(NamedTuple):
    """A label for the whole image, with its score in ten-thousandths."""

    name: str
    score: int


@dataclass(frozen=True, slots=True)
class ClientFindings:
    """The findings of a client. None: not analysed; an empty tuple: nothing found."""

    faces: tuple[FaceBox, ...] | None = None
    tags: tuple[Tag, ...] | None = None


def parse_client_findings(document: object) -> ClientFindings:
    """Parse the findings in the JSON of a request; raises BadUpload with the invalid field."""
    fields = _check_fields(document, "findings", {"faces", "tags"}, set())
    faces = tuple(_parse_list(fields, "faces", _parse_face)) if "faces" in fields else None
    tags = tuple(_parse_list(fields, "tags", _parse_tag)) if "tags" in fields else None
    if faces is None and tags is None:
        raise _make_error("findings", "expected faces or tags")
    found = ClientFindings(faces, tags)
    size_bytes = len(encode_findings(found))
    if size_bytes > MAX_TEXT_BYTES:
        raise _make_error("findings", f"encoded, they take {size_bytes} bytes; at most {MAX_TEXT_BYTES} are allowed")
    return found


def encode_findings(found: ClientFindings) -> str:
    """Encode ``found`` for metadata."""
    document = {name: part for name, part in (("faces", found.faces), ("tags", found.tags)) if part is not None}
    return encode_base64url(json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode())


def decode_findings(text: str) -> ClientFindings:
    """Decode a text of :func:`encode_findings`; raises ValueError for any other text."""
    try:
        document = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        faces, tags = document.get("faces"), document.get("tags")
        found = ClientFindings(
            None if faces is None else tuple(FaceBox(*face) for face in faces),
            None if tags is None else tuple(Tag(*tag) for tag in tags),
        )
        again = parse_client_findings(client_findings_to_document(found))
    except (ValueError, TypeError, AttributeError, RecursionError, BadUpload) as error:
        raise ValueError(f"invalid findings: {error!r}") from error
    if encode_findings(again) != text:
        raise ValueError("the findings are not in canonical form")
    return again


def client_findings_to_document(found: ClientFindings) -> dict[str, object]:
    """Convert ``found`` to the JSON that :func:`parse_client_findings` accepts."""
    document: dict[str, object] = {}
    if found.faces is not None:
        document["faces"] = [
            {"box": [part / _SCALE for part in face[:4]], "score": face.score / _SCALE} for face in found.faces
        ]
    if found.tags is not None:
        document["tags"] = [{"name": tag.name, "score": tag.score / _SCALE} for tag in found.tags]
    return document


def sign_findings(key: str, sha256: str, text: str, signing_key: str) -> str:
    """Sign ``text`` for the image ``key``, whose bytes have the hexadecimal ``sha256``."""
    return sign_message(f"{key}\n{sha256}\n{text}", signing_key, Purpose.FINDINGS)


def has_valid_signature(key: str, sha256: str, text: str, signature: str, signing_keys: Sequence[str]) -> bool:
    """Return whether ``signature`` was made with one of ``signing_keys``."""
    return is_signed(f"{key}\n{sha256}\n{text}", signature, signing_keys, Purpose.FINDINGS)


def _make_error(field: str, expected: str) -> BadUpload:
    return BadUpload(f"{field}: {expected}", field=field)


def _check_fields(value: object, place: str, optional: set[str], required: set[str]) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise _make_error(place, "expected a JSON object")
    for name in value:
        if name not in optional | required:
            raise _make_error(
                f"{place}.{name[:40]}", f"unknown field; expected {', '.join(sorted(optional | required))}"
            )
    for name in required:
        if name not in value:
            raise _make_error(f"{place}.{name}", "missing")
    return value


def _parse_list(fields: Mapping[str, object], name: str, read: Callable[[object, str], T]) -> Sequence[T]:
    values, place = fields[name], f"findings.{name}"
    if not isinstance(values, list):
        raise _make_error(place, "expected a list")
    return [read(value, f"{place}[{number}]") for number, value in enumerate(values)]


def _parse_face(value: object, place: str) -> FaceBox:
    fields = _check_fields(value, place, {"score"}, {"box"})
    box = fields["box"]
    expected = "expected left, top, width and height as fractions of the upright image"
    if not isinstance(box, list) or len(box) != 4:
        raise _make_error(f"{place}.box", expected)
    left, top, width, height = (_parse_fraction(part, f"{place}.box", expected) for part in box)
    if not (width > 0 and height > 0 and left + width <= 1 + _TOLERANCE and top + height <= 1 + _TOLERANCE):
        raise _make_error(f"{place}.box", expected)
    return FaceBox(*_scale_box(left, width, top, height), _parse_score(fields, place))


def _scale_box(left: float, width: float, top: float, height: float) -> tuple[int, int, int, int]:
    """Convert a box to ten-thousandths, clipped to the image, with sides of at least one."""
    x, y = min(round(left * _SCALE), _SCALE - 1), min(round(top * _SCALE), _SCALE - 1)
    return (
        x,
        y,
        min(max(round(width * _SCALE), 1), _SCALE - x),
        min(max(round(height * _SCALE), 1), _SCALE - y),
    )


def _parse_tag(value: object, place: str) -> Tag:
    fields = _check_fields(value, place, {"score"}, {"name"})
    name = fields["name"]
    if not isinstance(name, str) or not name.isprintable() or not 1 <= len(name.encode()) <= MAX_TAG_BYTES:
        raise _make_error(f"{place}.name", f"expected a text of 1 to {MAX_TAG_BYTES} bytes without control characters")
    return Tag(name, _parse_score(fields, place))


def _parse_score(fields: Mapping[str, object], place: str) -> int:
    return round(_parse_fraction(fields.get("score", 1), f"{place}.score", "expected a number from 0 to 1") * _SCALE)


def _parse_fraction(value: object, place: str, expected: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise _make_error(place, expected)
    return float(value)
