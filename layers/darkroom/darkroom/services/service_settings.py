"""Build values that services take from the settings."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..plan.limits import Limits
from ..settings import OFF, Settings
from .caching import CachePolicy

MEMORY_MB = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"
"""Memory of the function (Lambda developer guide, "Defined runtime environment variables")."""
RESERVED_MB = 400
"""For the process (120 MB), the file (at most 100 MB), the output of a bare URL and its encoder (180 MB)."""


def decoder_limit(environment: Mapping[str, str] = os.environ) -> int:
    """Return the memory limit of a decoder in a function with this environment; the default outside of Lambda."""
    memory_mb = int(environment.get(MEMORY_MB, "0"))
    return (memory_mb - RESERVED_MB) * 1024 * 1024 if memory_mb > RESERVED_MB else Limits().max_decoder_bytes


def configured_tasks(settings: Settings) -> tuple[str, ...]:
    """Return the tasks of the models: those of ``settings``, and moderation if its policy needs it."""
    from ..findings import MODERATION  # functions without models do not need the module

    required = [MODERATION] if settings.moderation_policy != OFF else []
    return tuple(dict.fromkeys([*settings.tasks, *required]))


def list_tasks(key: str, tasks: Sequence[str], cutout_prefixes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the tasks of an endpoint for the image ``key``: some images are cut out."""
    from ..findings import CUTOUT

    return (*tasks, CUTOUT) if key.startswith(cutout_prefixes) else tuple(tasks)


def build_source_limits(settings: Settings) -> Limits:
    """Return limits of one source. Those of large images apply at ingest only, which admitted their masters."""
    return replace(
        Limits(),
        max_decoder_bytes=decoder_limit(),
        max_bytes=settings.max_source_bytes,
        max_pixels=settings.max_source_pixels,
        max_frames=settings.max_source_frames,
    )


def build_upload_limits(settings: Settings) -> Limits:
    """Return limits of an upload, including large images."""
    return replace(
        build_source_limits(settings),
        max_scene_bytes=settings.max_scene_bytes,
        max_scene_pixels=settings.max_scene_pixels,
    )


def build_cache_policy(settings: Settings, *, refines: bool) -> CachePolicy:
    """Return how long browsers and the CDN cache a derivative; ``refines``: whether some are re-encoded later."""
    return CachePolicy(
        browser_max_age_s=settings.browser_max_age_s,
        cdn_max_age_s=settings.cdn_max_age_s,
        stale_while_revalidate_s=settings.stale_while_revalidate_s,
        immutable_prefixes=settings.immutable_prefixes,
        refines=refines,
    )
