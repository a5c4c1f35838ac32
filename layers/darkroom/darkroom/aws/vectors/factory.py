"""Open the store of embeddings that the environment names."""

from __future__ import annotations

from ...environment import VectorEnvironment
from ..clients import create_client
from .dynamodb import DynamoDBVectors
from .s3_vectors import S3Vectors


def open_vectors(environment: VectorEnvironment) -> DynamoDBVectors | S3Vectors:
    """Open the store ``SIMILARITY_STORE``: ``table`` (default; ``VECTOR_TABLE``) or ``s3vectors`` (``VECTOR_INDEX``, an
    ARN). Sends nothing yet."""
    if environment.similarity_store == "s3vectors":
        return S3Vectors(create_client("s3vectors", environment.variables), environment.vector_index)
    return DynamoDBVectors(create_client("dynamodb", environment.variables), environment.vector_table)
