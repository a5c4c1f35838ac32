"""What a deployment says in environment variables that more than one function reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..plan.limits import Limits
from .caching import CachePolicy


def limits(environment: Mapping[str, str]) -> Limits:
    """How much one source may ask of us. Scenes are ingest's to admit: who reads them needs no limit of its own."""
    default = Limits()
    return Limits(
        max_bytes=int(environment.get("MAX_SOURCE_BYTES", default.max_bytes)),
        max_pixels=int(environment.get("MAX_SOURCE_PIXELS", default.max_pixels)),
        max_frames=int(environment.get("MAX_SOURCE_FRAMES", default.max_frames)),
    )


def admission(environment: Mapping[str, str]) -> Limits:
    """The same for who takes uploads in, or makes scenes of them."""
    default = Limits()
    return replace(
        limits(environment),
        max_scene_bytes=int(environment.get("MAX_SCENE_BYTES", default.max_scene_bytes)),
        max_scene_pixels=int(environment.get("MAX_SCENE_PIXELS", default.max_scene_pixels)),
    )


def cache_policy(environment: Mapping[str, str]) -> CachePolicy:
    """How long browsers and the CDN keep a derivative."""
    default = CachePolicy()
    return CachePolicy(
        browser_max_age_s=int(environment.get("BROWSER_MAX_AGE_S", default.browser_max_age_s)),
        cdn_max_age_s=int(environment.get("CDN_MAX_AGE_S", default.cdn_max_age_s)),
        stale_while_revalidate_s=int(environment.get("STALE_WHILE_REVALIDATE_S", default.stale_while_revalidate_s)),
        immutable_prefixes=tuple(filter(None, environment.get("IMMUTABLE_PREFIXES", "").split(","))),
        refines=environment.get("REFINE") == "on",
    )
