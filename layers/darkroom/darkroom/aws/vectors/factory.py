"""Open the store of embeddings that the environment names."""

from __future__ import annotations

from collections.abc import Mapping

from ..clients import client
from .dynamodb import DynamoDBVectors
from .s3_vectors import S3Vectors


def open_vectors(environment: Mapping[str, str]) -> DynamoDBVectors | S3Vectors:
    """Open the store ``SIMILARITY_STORE``: ``table`` (default; ``VECTOR_TABLE``) or ``s3vectors`` (``VECTOR_INDEX``, an
    ARN). Sends nothing yet."""
    if environment.get("SIMILARITY_STORE", "table") == "s3vectors":
        return S3Vectors(client("s3vectors", environment), environment["VECTOR_INDEX"])
    return DynamoDBVectors(client("dynamodb", environment), environment["VECTOR_TABLE"])
