"""Read keys from an S3 Inventory in CSV, or from a list with one key per line."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote_plus, urlsplit

from darkroom.errors import BadRun

from ..aws.s3 import S3Bucket

_DELETED_OR_OLD = {"IsLatest": "false", "IsDeleteMarker": "true"}
"""Columns of an inventory of all versions, with their values for deleted and old versions."""


def parse_s3_url(address: str, field: str) -> tuple[str, str]:
    """Return bucket and key of an ``s3://`` URL. Raises BadRun."""
    parts = urlsplit(address)
    if parts.scheme != "s3" or not parts.netloc or not parts.path.strip("/") or parts.query or parts.fragment:
        raise BadRun(f"{field} is an address as s3://bucket/key", field=field)
    return parts.netloc, parts.path[1:]


def read_key_list(address: str, vault: Callable[[str], S3Bucket]) -> Iterator[str]:
    """Yield the keys of a list with one per line, not percent-encoded. Raises BadRun, Unavailable."""
    for line in _read(address, "keys", vault).splitlines():  # not of text: a key may have U+2028
        if line:
            yield line.decode()


def read_inventory(address: str, bucket: str, vault: Callable[[str], S3Bucket]) -> Iterator[str]:
    """Yield the keys of the current objects in an S3 Inventory of ``bucket``.

    ``address`` is the URL of its ``manifest.json``. Raises BadRun for another bucket or format than CSV.
    """
    manifest = _parse_manifest(_read(address, "inventory", vault))
    if manifest["fileFormat"] != "CSV":
        raise BadRun(f"An inventory in {manifest['fileFormat']} cannot be read, only one in CSV", field="inventory")
    if manifest["sourceBucket"] != bucket:
        raise BadRun(f"The inventory is of {manifest['sourceBucket']}, not of {bucket}", field="inventory")
    columns = [name.strip() for name in manifest["fileSchema"].split(",")]
    destination = manifest["destinationBucket"].rpartition(":")[2]
    for file in manifest["files"]:
        data = _read(f"s3://{destination}/{file['key']}", "inventory", vault)
        yield from _parse_keys(data, columns)


def _parse_keys(data: bytes, columns: list[str]) -> Iterator[str]:
    try:
        text = gzip.decompress(data).decode()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise BadRun("A file of the inventory cannot be read", field="inventory", detail=repr(error)) from error
    for row in csv.reader(io.StringIO(text)):
        named = dict(zip(columns, row, strict=False))
        if not any(named.get(name) == value for name, value in _DELETED_OR_OLD.items()):
            yield unquote_plus(named["Key"])


def _parse_manifest(data: bytes) -> dict[str, Any]:
    try:
        manifest = json.loads(data)
        _ = [manifest[name] for name in ("fileFormat", "sourceBucket", "destinationBucket", "fileSchema", "files")]
    except (ValueError, KeyError, TypeError) as error:
        raise BadRun(
            "The object is not a manifest.json of an S3 Inventory", field="inventory", detail=repr(error)
        ) from error
    if "Key" not in manifest["fileSchema"]:
        raise BadRun("The inventory has no column Key", field="inventory")
    return dict(manifest)


def _read(address: str, field: str, vault: Callable[[str], S3Bucket]) -> bytes:
    bucket, key = parse_s3_url(address, field)
    content = vault(bucket).read(key)
    if content is None:
        raise BadRun(f"There is nothing at {address}", field=field)
    return content
