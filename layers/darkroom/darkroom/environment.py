"""Environment variables of the functions, typed: a class for each function, a field for each variable.

The field ``media_bucket`` is the variable ``MEDIA_BUCKET``. A missing variable has the field's default; a field without
a default is required. Plain classes: thirteen dataclasses would take 10 ms of every cold start.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import NoReturn

_PARSERS: Mapping[str, Callable[[str], object]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": lambda text: text == "on",
}
"""Parsers of values, by the field's annotation."""


class InvalidEnvironment(ValueError):
    """Variables are missing or cannot be parsed."""


class Environment:
    """The variables that every function has. Reads ``variables``, by default those of the process.

    Raises InvalidEnvironment, which names every variable that is missing or malformed.
    """

    media_bucket: str

    def __init__(self, variables: Mapping[str, str] = os.environ) -> None:
        vars(self)["_variables"] = dict(variables)
        problems: list[str] = []
        for name, kind in self.fields().items():
            text = variables.get(name.upper())
            if text is None:
                if not hasattr(type(self), name):
                    problems.append(f"{name.upper()} is missing")
                continue
            try:
                vars(self)[name] = _PARSERS[kind](text)
            except ValueError:
                problems.append(f"{name.upper()} is no {kind}: {text[:40]!r}")
        if problems:
            raise InvalidEnvironment("; ".join(problems))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Environments are immutable."""
        raise AttributeError(f"{type(self).__name__}.{name} cannot be assigned")

    @property
    def variables(self) -> Mapping[str, str]:
        """All variables as they were read, for clients of AWS."""
        return dict(vars(self)["_variables"])

    @classmethod
    def fields(cls) -> dict[str, str]:
        """Return the fields, inherited ones included, and their annotations."""
        return {
            name: kind for base in reversed(cls.__mro__) for name, kind in vars(base).get("__annotations__", {}).items()
        }


class MasterEnvironment(Environment):
    """Where masters are: in ``source_bucket`` below ``source_prefix``, by default in the media bucket."""

    source_bucket: str = ""
    source_prefix: str = "masters/"

    @property
    def master_bucket(self) -> str:
        """The bucket with the masters."""
        return self.source_bucket or self.media_bucket

    @property
    def owns_masters(self) -> bool:
        """Whether masters are in the media bucket, and not in a ``SourceBucket``."""
        return self.master_bucket == self.media_bucket


class VectorEnvironment(Environment):
    """The store of embeddings: ``table`` (DynamoDB) or ``s3vectors`` (indexes, by ARN). The table also has tags.

    ``off``: the deployment keeps neither.
    """

    similarity_store: str = "table"
    vector_table: str = ""
    vector_index: str = ""
    likeness_index: str = ""

    @property
    def has_similarity(self) -> bool:
        """Whether embeddings and tags are kept."""
        return self.similarity_store != "off"


class EndpointEnvironment(Environment):
    """How images are analysed: ``off``, ``lambda`` or ``endpoint``, which is then named.

    ``endpoint_instance_type`` is SageMaker's, or ``serverless``.
    """

    inference_mode: str = "off"
    endpoint_name: str = ""
    endpoint_instance_type: str = ""

    @property
    def is_serverless(self) -> bool:
        """Whether the endpoint starts its containers for calls."""
        return self.endpoint_instance_type == "serverless"  # a value of the parameter EndpointInstanceType


class EventEnvironment(Environment):
    """Where events are published, and as those of which stack."""

    event_bus: str = "default"
    stack_name: str


class CredentialsEnvironment(Environment):
    """The secret with the key that signs Content Credentials, by its name; empty in a deployment without them."""

    credentials_secret: str = ""

    @property
    def has_content_credentials(self) -> bool:
        """Whether Content Credentials are read, and can be signed."""
        return bool(self.credentials_secret)


class TransformEnvironment(MasterEnvironment):
    """Variables of the transform function."""

    signing_keys_arn: str
    language_keys_arn: str = ""
    inference_mode: str = "off"
    refine: bool = False
    store_after_response: bool = False
    has_large_copies: bool = False
    has_edge_store: bool = False


class IngestEnvironment(MasterEnvironment, EventEnvironment, CredentialsEnvironment):
    """Variables of the ingest function."""

    uploads_bucket: str
    quarantine_bucket: str
    audit_bucket: str
    index_table: str
    ingest_queue_url: str
    ingest_priority_queue_url: str = ""
    ingest_dlq_url: str
    max_receives: int
    review_queue_url: str
    review_dlq_url: str
    review_max_receives: int
    purge_queue_url: str
    signing_keys_arn: str
    lease_s: float
    scene_machine_arn: str = ""
    refine: bool = False


class InferEnvironment(MasterEnvironment, VectorEnvironment, EndpointEnvironment, EventEnvironment):
    """Variables of the infer function."""

    index_table: str
    infer_queue_url: str
    infer_priority_queue_url: str
    infer_dlq_url: str
    max_receives: int
    ingest_queue_url: str
    purge_queue_url: str
    model_dir: str = "/opt/models"


class LibraryEnvironment(MasterEnvironment):
    """Variables of the library function."""

    uploads_bucket: str
    index_table: str
    ingest_queue_url: str
    infer_queue_url: str = ""
    inference_mode: str = "off"
    lease_s: float
    refine: bool = False


class MonitorEnvironment(MasterEnvironment, EndpointEnvironment, EventEnvironment):
    """Variables of the monitor function. A queue that the deployment does not have is empty."""

    uploads_bucket: str
    audit_bucket: str
    index_table: str
    distribution_id: str
    functions: str
    powertools_metrics_namespace: str
    edge_store_arn: str = ""
    monthly_amounts: str = ""
    arch: str = "x86_64"
    model_group: str = ""
    ingest_dlq_url: str = ""
    ingest_queue_url: str = ""
    ingest_priority_queue_url: str = ""
    purge_dlq_url: str = ""
    purge_queue_url: str = ""
    refine_dlq_url: str = ""
    refine_queue_url: str = ""
    infer_dlq_url: str = ""
    infer_queue_url: str = ""
    infer_priority_queue_url: str = ""


class PopularEnvironment(Environment):
    """Variables of the popular function."""

    log_bucket: str
    refine_queue_url: str
    distribution_id: str


class PurgeEnvironment(MasterEnvironment):
    """Variables of the purge function."""

    index_table: str
    purge_queue_url: str
    purge_dlq_url: str
    max_receives: int
    distribution_id: str
    has_dialects: bool = False
    has_large_copies: bool = False


class RefineEnvironment(MasterEnvironment, CredentialsEnvironment):
    """Variables of the refine function."""

    refine_queue_url: str
    refine_dlq_url: str
    max_receives: int
    refine: bool = False
    endpoint_name: str = ""


class SceneEnvironment(Environment):
    """Variables of the scene function."""

    uploads_bucket: str
    ingest_queue_url: str


class ForgetEnvironment(MasterEnvironment, VectorEnvironment):
    """Variables of the forget function."""

    uploads_bucket: str
    quarantine_bucket: str
    audit_bucket: str
    index_table: str
    purge_queue_url: str
    distribution_id: str
    has_dialects: bool = False
    has_large_copies: bool = False


class SimilarEnvironment(VectorEnvironment):
    """Variables of the similar function."""

    index_table: str
    signing_keys_arn: str
    inference_mode: str = "off"


class ExpediteEnvironment(Environment):
    """Variables of the expedite function."""

    uploads_bucket: str
    ingest_priority_queue_url: str


class PublishEnvironment(Environment):
    """Variables of the publish function."""

    edge_store_arn: str
    signing_keys_arn: str


class SweepEnvironment(MasterEnvironment):
    """Variables of the sweep function."""

    uploads_bucket: str
    index_table: str
    ingest_queue_url: str


class UploadEnvironment(Environment):
    """Variables of the upload function."""

    uploads_bucket: str
    index_table: str
    signing_keys_arn: str
