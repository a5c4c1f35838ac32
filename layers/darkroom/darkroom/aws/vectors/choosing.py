"""Which store of embeddings a deployment has, by its environment."""

from __future__ import annotations

from collections.abc import Mapping

from ..clients import client
from .managed import ManagedVectors
from .table import TableVectors


def open_vectors(environment: Mapping[str, str]) -> TableVectors | ManagedVectors:
    """The store that ``SIMILARITY_STORE`` names: ``table`` (default; in ``VECTOR_TABLE``) or ``s3vectors`` (the index
    whose ARN is ``VECTOR_INDEX``)."""
    if environment.get("SIMILARITY_STORE", "table") == "s3vectors":
        return ManagedVectors(client("s3vectors", environment), environment["VECTOR_INDEX"])
    return TableVectors(client("dynamodb", environment), environment["VECTOR_TABLE"])
