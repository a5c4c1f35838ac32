"""Parse DIT's first form, ``/<standard base64 of JSON>``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from darkroom.errors import BadKey
from darkroom.image_keys import unquote

from ..common.mapping import find_parser, index_by_name, list_options
from ..common.validate import bad_option
from .model import DitRequest, Json, format_address, require_object

type FieldParser = Callable[[dict[str, object], object], None]

_BASE64 = re.compile(r"/?((?:[0-9a-zA-Z+/]{4})*(?:[0-9a-zA-Z+/]{2}(?:==)?|[0-9a-zA-Z+/]{3}=?)?)")
"""With or without padding, like Node's ``Buffer.from(…, "base64")``."""
_MAX_AGE = re.compile(r"(?:^|[,\s])max-age=([0-9]{1,9})(?:$|[,\s])")


def decode_document(path: str) -> Json | None:
    """Return the JSON object in ``path``; None if ``path`` has another form."""
    try:
        match = _BASE64.fullmatch(unquote(path))
    except (UnicodeError, ValueError):
        return None
    if match is None or not match[1]:
        return None
    import json
    from base64 import b64decode

    try:
        document = json.loads(b64decode(match[1] + "=" * (-len(match[1]) % 4)), parse_constant=_reject_constant)
        json.dumps(document, ensure_ascii=False).encode()  # raises where an escape is half of a character
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _reject_constant(text: str) -> object:
    raise ValueError(text)


def parse_request(document: Json) -> DitRequest:
    """Parse ``document``. Raises BadKey without a key, and BadOption."""
    found: dict[str, object] = {}
    for name, value in document.items():
        if name in _FIELDS_BY_NAME:
            find_parser(_FIELDS_BY_NAME, name)(found, value)
    key = found.pop("key", None)
    if not isinstance(key, str):
        raise BadKey("The request has no key")
    return DitRequest(format_address(str(found.pop("bucket", "")), key), **found)  # type: ignore[arg-type]


def _parse_bucket(found: dict[str, object], value: object) -> None:
    if not isinstance(value, str) or not re.fullmatch("[A-Za-z0-9._-]{1,255}", value):
        raise bad_option("bucket", "it must be the name of a bucket")
    found["bucket"] = value


def _parse_key(found: dict[str, object], value: object) -> None:
    found["key"] = value


def _parse_edits(found: dict[str, object], value: object) -> None:
    if value is not None:
        found["edits"] = require_object("edits", value)


def _parse_output(found: dict[str, object], value: object) -> None:
    if value is not None:
        found["output"] = value if isinstance(value, str) else "?"


def _ignore(_found: dict[str, object], _: object) -> None:
    pass


def _parse_headers(found: dict[str, object], value: object) -> None:
    for name, text in require_object("headers", value or {}).items():
        if name.lower() != "cache-control":
            raise bad_option("headers", "only Cache-Control is supported")
        if match := _MAX_AGE.search(str(text)):
            found["max_age_s"] = int(match[1])


_PARSERS: Mapping[str, FieldParser] = {
    "bucket": _parse_bucket,
    "key": _parse_key,
    "edits": _parse_edits,
    "outputFormat": _parse_output,
    "effort": _ignore,
    "headers": _parse_headers,
}

FIELD_MAPPINGS = list_options(_PARSERS, group="request")
"""``DefaultImageRequest`` in ``source/image-handler/lib/interfaces.ts``."""

_FIELDS_BY_NAME = index_by_name(FIELD_MAPPINGS)
