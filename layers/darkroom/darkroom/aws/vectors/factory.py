"""Which store of embeddings a deployment has, by its environment."""

from __future__ import annotations

from collections.abc import Mapping

from ..clients import client
from .dynamodb import DynamoDBVectors
from .s3_vectors import S3Vectors


def open_vectors(environment: Mapping[str, str]) -> DynamoDBVectors | S3Vectors:
    """The store that ``SIMILARITY_STORE`` names: ``table`` (default; in ``VECTOR_TABLE``) or ``s3vectors`` (the index
    whose ARN is ``VECTOR_INDEX``)."""
    if environment.get("SIMILARITY_STORE", "table") == "s3vectors":
        return S3Vectors(client("s3vectors", environment), environment["VECTOR_INDEX"])
    return DynamoDBVectors(client("dynamodb", environment), environment["VECTOR_TABLE"])
