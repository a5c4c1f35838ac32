"""The stack whose settings are changed: its document, KeyValueStore and features."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from darkroom.image_keys import MASTERS
from darkroom.settings import OFF, Settings
from darkroom.signing import parse_secret, parse_signing_keys
from darkroom_dialects.registry import DIALECTS
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.edge_store import EdgeStore, connect_edge_store
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.experiments.runs import RunStore
from darkroom_pipeline.services.edge_publication import KeyValueStore, ReadKeys, entries_of, publish_settings

from .. import local_stack
from ..deployment import Deployment
from .store import SettingsStore


@dataclass(frozen=True)
class Target:
    """A stack. ``parameters`` are those of its template by name, unknown for a local stack.

    ``has_master``: whether there is an image with this key. ``read_keys`` reads the signing keys.
    """

    documents: SettingsStore
    edge: KeyValueStore
    parameters: Mapping[str, str]
    has_master: Callable[[str], bool]
    read_keys: ReadKeys = tuple

    def missing(self, settings: Settings) -> list[str]:
        """Return sentences about what ``settings`` need and the stack lacks."""
        found = list[str]()
        if self.parameters.get("InferenceMode") == OFF:
            if settings.always_redact.redactions:
                found.append("always_redact needs InferenceMode: without findings no such image can be served")
            if settings.moderation_policy != OFF:
                found.append("moderation_policy needs InferenceMode: without it no image is moderated")
        if self.parameters.get("Dialects") == OFF and (names := dialects_on(settings)):
            found.append(f"{', '.join(names)} need Dialects=on: the distribution has no cache behaviors for them")
        if self.parameters.get("ContentCredentials") == OFF and settings.sign_derivatives:
            found.append("sign_derivatives needs ContentCredentials=on: the functions have no library that signs")
        for key in sorted({key for _, key in settings.fallback_images}):
            if settings.always_redact.find(key).redact:
                found.append(f"fallback_images: always_redact redacts {key}, and a fallback image has no findings")
            elif settings.always_watermark.find(key).watermark:
                found.append(f"fallback_images: always_watermark marks {key}, and a fallback image has no watermark")
            elif not self.has_master(key):
                found.append(f"fallback_images: there is no image {key}")
        if settings.experiments and self.parameters.get("AccessLogDays") == "0":
            found.append("experiments need AccessLogDays: visitors and clicks are counted in access logs")
        if settings.experiments and self.parameters.get("Refine") == OFF:
            found.append("experiments need Refine=on: its function reads the access logs")
        return found

    def stopped(self, settings: Settings) -> Mapping[str, Sequence[str]]:
        """Return the variants that the monitor stopped, by experiment. Raises Unavailable."""
        return RunStore(self.documents.media).read_stopped(settings.experiments)

    def publish(self, settings: Settings) -> int:
        """Write the edge's entries for ``settings``. Return how many changed. Raises as :func:`publish_settings`."""
        return publish_settings(self.edge, settings, lambda: self.stopped(settings), self.read_keys)

    def build_entries(self, settings: Settings) -> Mapping[str, str]:
        """Return the edge's entries for ``settings``. Raises ValueError as :func:`entries_of`, and Unavailable."""
        return entries_of(settings, self.stopped(settings), self.read_keys)


def dialects_on(settings: Settings) -> list[str]:
    """The names of the access modes of dialects that are not off."""
    return [one.mode_setting for one in DIALECTS if getattr(settings, one.mode_setting) != OFF]


def target_of(deployment: Deployment) -> Target:
    """Return the settings of a deployed stack."""
    edge = deployment.edge_store()

    def has_master(key: str) -> bool:
        bucket, names = deployment.masters()
        return bucket.head(names.name(key)) is not None

    documents = SettingsStore(deployment.bucket("MediaBucketName"))
    return Target(documents, edge, deployment.parameters, has_master, deployment.read_signing_keys)


def open_local_target(info: Mapping[str, Any]) -> Target:
    """Return the local stack that ``info``, the content of ``stack.json``, describes."""
    environment, outputs = local_stack.environment(info), info["outputs"]
    edge = connect_edge_store(outputs["FindingsStoreArn"], environment)
    media = S3Bucket(create_client("s3", environment), outputs["MediaBucketName"])
    return build_local_target(media, edge, create_client("secretsmanager", environment), outputs)


def build_local_target(media: S3Bucket, edge: EdgeStore, secrets: Any, outputs: Mapping[str, str]) -> Target:
    """Return the local stack with this media bucket and key-value store, its outputs and its secrets' client."""

    def read_keys() -> Sequence[str]:
        secret = secrets.get_secret_value(SecretId=outputs["SigningKeysArn"])
        return parse_signing_keys(parse_secret(secret["SecretString"]))

    return Target(SettingsStore(media), edge, {}, lambda key: media.head(MASTERS.name(key)) is not None, read_keys)
