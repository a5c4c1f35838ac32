"""Embeddings in an index of S3 Vectors, which searches millions approximately.

An index filters by metadata, not by prefixes of keys. So each vector lists the folders of its key, by their digests:
names can be long, and filterable metadata is limited to 2 KB.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from ..clients import translate_errors
from . import TEXTS, Neighbour, StoredVector

UNFILTERED = ("source_etag", "perceptual_hash", "generation")
"""Metadata that is not filterable, as configured when the index is created: its limit is 40 KB."""

MAX_FOLDERS = 32
"""Folders per key. Below a deeper prefix, neighbours elsewhere in its 32nd folder can displace wanted ones."""

_DIGEST_CHARACTERS = 12


class S3Vectors:
    """An index of cosine distances. ``client`` is a boto3 client for S3 Vectors."""

    def __init__(self, client: Any, index_arn: str) -> None:
        self._client = client
        self._index_arn = index_arn

    def put(self, new: StoredVector) -> None:
        if not new.vector:
            return  # this store does not search by hash
        if not any(new.vector):
            raise ValueError("the vector has length 0")
        texts = {name: getattr(new, name) for name in TEXTS}
        metadata = {name: value for name, value in (texts | {"folders": _folders(new.key)}).items() if value}
        item = {"key": new.key, "data": {"float32": [*new.vector]}, "metadata": metadata}
        with translate_errors(f"vector put {new.key}"):
            self._client.put_vectors(indexArn=self._index_arn, vectors=[item])

    def delete(self, key: str) -> None:
        with translate_errors(f"vector delete {key}"):
            self._client.delete_vectors(indexArn=self._index_arn, keys=[key])

    def get(self, key: str) -> StoredVector | None:
        with translate_errors(f"vector get {key}"):
            found = self._client.get_vectors(
                indexArn=self._index_arn, keys=[key], returnData=True, returnMetadata=True
            )["vectors"]
        return _parse_vector(found[0]) if found else None

    def nearest(self, vector: Sequence[float], *, count: int, prefix: str, model: str = "") -> list[Neighbour]:
        with translate_errors(f"vectors below {prefix}"):
            found = self._client.query_vectors(
                indexArn=self._index_arn,
                topK=count,
                queryVector={"float32": [*vector]},
                filter=_filter(prefix, model),
                returnMetadata=True,
                returnDistance=True,
            )["vectors"]
        return [
            Neighbour(each["key"], 1 - each["distance"], _text(each.get("metadata"), "perceptual_hash"))
            for each in found
            if each["key"].startswith(prefix)
        ]


def _filter(prefix: str, model: str) -> dict[str, Any]:
    of_model = {"model": {"$eq": model} if model else {"$exists": False}}
    folders = _folders(prefix)
    return {"$and": [of_model, {"folders": {"$eq": folders[-1]}}]} if folders else of_model


def _folders(key: str) -> list[str]:
    """Return the digests of the folders of ``key``, the outermost first. A key that ends in a slash is a folder."""
    names = key.split("/")[:-1][:MAX_FOLDERS]
    return [_digest("/".join(names[: depth + 1])) for depth in range(len(names))]


def _digest(folder: str) -> str:
    return urlsafe_b64encode(sha256(folder.encode()).digest()).decode()[:_DIGEST_CHARACTERS]


def _parse_vector(found: Mapping[str, Any]) -> StoredVector:
    texts = (_text(found.get("metadata"), name) for name in TEXTS)
    return StoredVector(found["key"], tuple(found["data"]["float32"]), *texts)


def _text(metadata: Mapping[str, Any] | None, name: str) -> str:
    return str((metadata or {}).get(name, ""))
