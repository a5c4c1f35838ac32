"""What an explanation reads of a deployment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from darkroom.aws.s3_fast import FastBucket
from darkroom.aws.switches import LOAD_SHEDDING, parse_switch, switch_key
from darkroom.image_keys import ObjectNames
from darkroom.origins.https import HttpsOrigin
from darkroom.origins.routing import KEYS, RoutedBucket
from darkroom.plan.limits import Limits
from darkroom.plan.variants import AccessMode
from darkroom.services.caching import CachePolicy
from darkroom.services.live_settings import (
    CURRENT,
    MEMORY_MB,
    build_cache_policy,
    build_source_limits,
    decoder_limit,
    parse_document,
)
from darkroom.services.serve.transform import Transform
from darkroom.settings import DEFAULTS, OFF, Settings
from darkroom_dialects.serving.signing_keys import KeysByDialect, parse_keys
from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.services.edge_publication import active_generation

from ..deployment import Deployment, MissingOutput
from ..settings.stacks import target_of
from .dry_render import FixedKeys, ReadOnlyBucket, answer_unrendered
from .purges import read_purges

type Document = dict[str, Any]
type ReadLines = Callable[[str], Iterable[Mapping[str, Any]]]
"""Reads log events of the transform function that contain a text."""


@dataclass(frozen=True)
class Source:
    """What an explanation reads. ``index`` is None in a stack without one. ``keys``: valid signing keys.

    ``further``: buckets and HTTPS origins of the setting ``sources``, by key prefix. ``limits``: those of the transform
    function; ``edge_verifies``: whether the edge verifies signatures of private images. ``read_generation`` returns the
    active generation of findings, ``read_purges`` the purges of a key in progress.
    """

    settings: Settings
    keys: tuple[str, ...]
    media: S3Bucket
    masters: S3Bucket
    names: ObjectNames
    further: Mapping[str, S3Bucket | HttpsOrigin]
    limits: Limits
    edge_verifies: bool
    index: Index | None
    inference: str
    is_load_shedding: bool
    read_generation: Callable[[], str]
    read_lines: ReadLines
    read_purges: Callable[[str], Document]
    read_dialect_keys: Callable[[], KeysByDialect]
    caching: CachePolicy
    now_s: float

    @classmethod
    def read(cls, deployment: Deployment, read_lines: ReadLines, now_s: float) -> Source:
        """Read the settings, the switch and the keys of a stack. Raises InvalidSettings and InvalidSecret."""
        media = deployment.bucket("MediaBucketName")
        document = media.read(CURRENT)
        settings = DEFAULTS if document is None else parse_document(document)
        memory_mb, environment = _read_function(deployment)
        limits = replace(build_source_limits(settings), max_decoder_bytes=decoder_limit({MEMORY_MB: str(memory_mb)}))
        masters, names = deployment.masters()
        try:
            index = Index(deployment.client("dynamodb"), deployment.output("IndexTableName"))
        except MissingOutput:
            index = None
        return cls(
            settings,
            deployment.read_signing_keys(),
            media,
            masters,
            names,
            {
                one.key_prefix: S3Bucket(deployment.client("s3"), one.bucket)
                if one.bucket
                else HttpsOrigin(one, limits.max_bytes)
                for one in settings.sources
            },
            limits,
            environment.get("HAS_EDGE_STORE") == "on",
            index,
            deployment.parameters.get("InferenceMode", OFF),
            parse_switch(media.read(switch_key(LOAD_SHEDDING))).is_on_at(now_s),
            lambda: _read_generation(deployment, settings),
            read_lines,
            lambda key: read_purges(deployment, key),
            lambda: _read_dialect_keys(deployment),
            build_cache_policy(settings, refines=deployment.parameters.get("Refine", OFF) != OFF),
            now_s,
        )

    @property
    def has_inference(self) -> bool:
        """Whether the deployment analyses images."""
        return self.inference != OFF

    def build_transform(self) -> Transform:
        """Build the transform service of the stack, which renders nothing."""
        settings = self.settings
        further: dict[str, FastBucket] = {
            prefix: ReadOnlyBucket(one) if isinstance(one, S3Bucket) else one for prefix, one in self.further.items()
        }
        return Transform(
            source=RoutedBucket(ReadOnlyBucket(self.masters), self.names, settings.sources, further),
            source_names=KEYS,
            media=ReadOnlyBucket(self.media),
            keys=FixedKeys(self.keys),
            mezzanines=False,
            mode=AccessMode(settings.access_mode),
            private_prefixes=settings.private_prefixes,
            fallback_images=settings.fallback_images,
            inference=self.has_inference,
            cutout_prefixes=settings.cutout_prefixes,
            upscale_prefixes=settings.upscale_prefixes,
            always=settings.forced,
            default_quality=settings.default_quality,
            presets=lambda: settings.presets,
            limits=self.limits,
            clock=lambda: self.now_s,
            is_load_shedding=lambda: self.is_load_shedding,
            render=answer_unrendered,
        )


def _read_function(deployment: Deployment) -> tuple[int, Mapping[str, str]]:
    """Return memory in MB and environment variables of the transform function; none in a stack without it."""
    name = deployment.functions.get("TransformFunction")
    if name is None:
        return 0, {}
    found = deployment.client("lambda").get_function_configuration(FunctionName=name)
    return found["MemorySize"], found.get("Environment", {}).get("Variables", {})


def _read_generation(deployment: Deployment, settings: Settings) -> str:
    """Return the active generation of findings; without access to the key-value store the one that is written."""
    try:
        return active_generation(target_of(deployment).edge.read())
    except MissingOutput:
        return settings.findings_generation


def _read_dialect_keys(deployment: Deployment) -> KeysByDialect:
    """Read the keys of dialects; none in a stack without dialects. Raises InvalidSecret."""
    try:
        return parse_keys(deployment.secret("LanguageKeysArn"))
    except MissingOutput:
        return {}
