"""Generate the tables of docs/reference/settings.md from the fields of :class:`darkroom.settings.Settings`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import Field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "layers" / "darkroom"))

from darkroom.settings import list_setting_fields  # noqa: E402
from tools.generated_blocks import Content, fill, table  # noqa: E402

PAGE = ROOT / "docs" / "reference" / "settings.md"

MOVED: Mapping[str, str] = {
    "AccessMode": "access_mode",
    "ImgproxyAccessMode": "imgproxy_access_mode",
    "ThumborAccessMode": "thumbor_access_mode",
    "DitAccessMode": "dit_access_mode",
    "CloudflareAccessMode": "cloudflare_access_mode",
    "IiifAccessMode": "iiif_access_mode",
    "LanguageMaxAge": "dialect_max_age_s",
    "BrowserMaxAge": "browser_max_age_s",
    "CdnMaxAge": "cdn_max_age_s",
    "StaleWhileRevalidate": "stale_while_revalidate_s",
    "ImmutablePrefixes": "immutable_prefixes",
    "StoreDerivatives": "store_derivatives",
    "MaxSourceBytes": "max_source_bytes",
    "MaxSourcePixels": "max_source_pixels",
    "MaxSourceFrames": "max_source_frames",
    "MaxSceneBytes": "max_scene_bytes",
    "MaxScenePixels": "max_scene_pixels",
    "SceneConcurrency": "scene_concurrency",
    "LibraryConcurrency": "library_concurrency",
    "KeepGps": "keep_gps",
    "ClamdAddress": "clamd_address",
    "FindingsGeneration": "findings_generation",
    "AlwaysRedact": "always_redact",
    "ModerationPolicy": "moderation_policy",
    "Tasks": "tasks",
    "RefineHits": "refine_hits",
    "MaxRendersPerMinute": "max_renders_per_minute",
    "BaselineSamples": "baseline_samples",
    "CanaryPictures": "canary_pictures",
    "CanaryHours": "canary_hours",
}
"""The setting that replaced each parameter of the template."""


def _settings() -> str:
    rows = (
        (
            f"`{one.name}`",
            f"`{_default(one)}`",
            one.metadata["unit"],
            one.metadata["about"] + f" Must be {one.metadata['rule'].allowed_values}.".replace("|", "\\|"),
        )
        for one in list_setting_fields()
    )
    return table(("setting", "default", "unit", "description"), *rows)


def _moved() -> str:
    return table(("parameter before", "setting"), *((f"`{old}`", f"`{new}`") for old, new in MOVED.items()))


def _default(one: Field[Any]) -> str:
    value = one.default
    if one.metadata["rule"].allowed_values.startswith("a table"):
        return "{}"
    return json.dumps(list(value) if isinstance(value, tuple) else value)


CONTENT: Content = {"settings": _settings, "moved": _moved}
"""Content of the page's places."""


def filled(page: str) -> str:
    """Fill the places of ``page``."""
    return fill(page, CONTENT)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
