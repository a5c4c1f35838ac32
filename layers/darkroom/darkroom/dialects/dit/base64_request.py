"""DIT's first form: ``/<standard base64 of JSON>``."""

from __future__ import annotations

import re
from collections.abc import Callable

from ...errors import BadKey
from ...plan.keys import unquote
from ..common.mapping import Covered, by_name, reader_of
from ..common.validate import refused
from .model import Json, mapping
from .request import Request, address_of

type FieldReader = Callable[[dict[str, object], object], None]

_BASE64 = re.compile(r"/?((?:[0-9a-zA-Z+/]{4})*(?:[0-9a-zA-Z+/]{2}(?:==)?|[0-9a-zA-Z+/]{3}=?)?)")
"""Padded or not: Node's ``Buffer.from(…, "base64")`` reads both."""
_MAX_AGE = re.compile(r"(?:^|[,\s])max-age=([0-9]{1,9})(?:$|[,\s])")


def document_of(path: str) -> Json | None:
    """The JSON object in ``path``; None where it holds none, and is of another form."""
    try:
        match = _BASE64.fullmatch(unquote(path))
    except (UnicodeError, ValueError):
        return None
    if match is None or not match[1]:
        return None
    import json
    from base64 import b64decode

    try:
        document = json.loads(b64decode(match[1] + "=" * (-len(match[1]) % 4)), parse_constant=_no_number)
        json.dumps(document, ensure_ascii=False).encode()  # raises where an escape is half of a character
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _no_number(text: str) -> object:
    raise ValueError(text)


def request_of(document: Json) -> Request:
    """The request in ``document``; raises BadKey where it names no key, BadOption for what is refused in it."""
    found: dict[str, object] = {}
    for name, value in document.items():
        if name in _TABLE:
            reader_of(_TABLE, name)(found, value)
    key = found.pop("key", None)
    if not isinstance(key, str):
        raise BadKey("The request has no key")
    return Request(address_of(str(found.pop("bucket", "")), key), **found)  # type: ignore[arg-type]


def _bucket(found: dict[str, object], value: object) -> None:
    if not isinstance(value, str) or not re.fullmatch("[A-Za-z0-9._-]{1,255}", value):
        raise refused("bucket", "it must be the name of a bucket")
    found["bucket"] = value


def _key(found: dict[str, object], value: object) -> None:
    found["key"] = value


def _edits(found: dict[str, object], value: object) -> None:
    if value is not None:
        found["edits"] = mapping("edits", value)


def _output(found: dict[str, object], value: object) -> None:
    if value is not None:
        found["output"] = value if isinstance(value, str) else "?"


def _nothing(_found: dict[str, object], _: object) -> None:
    pass


def _headers(found: dict[str, object], value: object) -> None:
    for name, text in mapping("headers", value or {}).items():
        if name.lower() != "cache-control":
            raise refused("headers", "only Cache-Control can be set here")
        if match := _MAX_AGE.search(str(text)):
            found["max_age_s"] = int(match[1])


FIELDS: tuple[Covered[FieldReader], ...] = (
    Covered(
        "bucket",
        note="One that dialects.toml has a prefix of: s3://bucket/. Others are refused.",
        read=_bucket,
        group="request",
    ),
    Covered("key", note="The source.", read=_key, group="request"),
    Covered("edits", note="One by one below.", read=_edits, group="request"),
    Covered("outputFormat", to="f", note="As toFormat, which goes before it.", read=_output, group="request"),
    Covered("effort", note="Nothing to do: effort follows the picture's size here.", read=_nothing, group="request"),
    Covered(
        "headers",
        note="Of Cache-Control, max-age, up to what the deployment allows; over 4.5 MB it is that. Others are refused.",
        read=_headers,
        group="request",
    ),
)
"""``DefaultImageRequest`` in ``source/image-handler/lib/interfaces.ts``."""

_TABLE = by_name(FIELDS)
