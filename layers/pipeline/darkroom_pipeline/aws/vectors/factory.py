"""Open the stores of embeddings and tags that the environment names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from darkroom.environment import VectorEnvironment
from darkroom.findings import LIKENESS, SIMILARITY, VECTOR_TASKS

from ..clients import create_client
from ..tag_index import TagIndex
from .dynamodb import DynamoDBVectors
from .s3_vectors import S3Vectors


def open_vectors(environment: VectorEnvironment, dynamodb: Any) -> Mapping[str, DynamoDBVectors | S3Vectors]:
    """Open the store of each task that has embeddings; none if it is ``off``. Sends nothing yet.

    ``SIMILARITY_STORE`` is ``table`` (default; ``VECTOR_TABLE``, by the client ``dynamodb``) or ``s3vectors``
    (``VECTOR_INDEX`` and ``LIKENESS_INDEX``, which are ARNs).
    """
    if not environment.has_similarity:
        return {}
    if environment.similarity_store == "s3vectors":
        client = create_client("s3vectors", environment.variables)
        indexes = {SIMILARITY: environment.vector_index, LIKENESS: environment.likeness_index}
        return {task: S3Vectors(client, index) for task, index in indexes.items()}
    return {task: DynamoDBVectors(dynamodb, environment.vector_table, task) for task in VECTOR_TASKS}


def open_tags(environment: VectorEnvironment, dynamodb: Any) -> TagIndex:
    """Open the index of tags: in ``VECTOR_TABLE``, whatever the store of embeddings."""
    return TagIndex(dynamodb, environment.vector_table)
