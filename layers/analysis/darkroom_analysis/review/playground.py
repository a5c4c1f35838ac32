"""The URL playground: the option table, keys of images, and signed URLs that expire soon."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from darkroom.errors import BadKey, BadOption
from darkroom.image_keys import ObjectNames, parse_key
from darkroom.plan.model import SOURCE_TYPES, Plan
from darkroom.plan.options import NATIVE_OPTIONS
from darkroom.plan.presets import Presets
from darkroom.plan.url_builder import sign_target
from darkroom.plan.variants import LADDER_PX
from darkroom.settings import Settings
from darkroom_pipeline.aws.s3 import S3Bucket

MAX_KEYS = 200
LASTS_S = 3600
"""A signed URL of the playground is for trying it out."""

EXTENSIONS = frozenset(name for types in SOURCE_TYPES.values() for names in types.values() for name in names)
"""File extensions of images."""


@dataclass(frozen=True)
class Playground:
    """``masters`` are below ``names``; ``signing_key`` returns the current key."""

    masters: S3Bucket
    names: ObjectNames
    settings: Settings
    signing_key: Callable[[], str]
    clock: Callable[[], float] = time.time

    def describe_options(self) -> dict[str, object]:
        """Return the table of options, and the names of presets and watermarks."""
        return describe_options(self.settings.presets)

    def list_keys(self, prefix: str = "") -> list[str]:
        """Return keys with an image extension that start with ``prefix``, at most :data:`MAX_KEYS`."""
        return list(islice(self._keys(prefix), MAX_KEYS))

    def sign(self, target: str) -> dict[str, object]:
        """Sign ``target``, a path with a query, for :data:`LASTS_S`. Raises a DarkroomError for an invalid one."""
        return sign_link(target, self.signing_key(), self.settings, int(self.clock()) + LASTS_S)

    def _keys(self, prefix: str) -> Iterator[str]:
        pages = self.masters.list_pages(self.names.name(prefix))
        for listed in islice((one for page in pages for one in page), 5 * MAX_KEYS):
            try:
                key = self.names.key(listed.key)
            except BadKey:
                continue
            if key.rpartition(".")[2].lower() in EXTENSIONS:
                yield key


def sign_link(target: str, signing_key: str, settings: Settings, expires_s: int | None) -> dict[str, object]:
    """Return ``target`` signed until ``expires_s``, and whether its image is private. Raises a DarkroomError."""
    try:
        signed = sign_target(target, signing_key, expires_s, settings.presets)
    except UnicodeError as error:
        raise BadOption("The URL is not text in UTF-8", detail=str(error)) from error
    return {"target": signed, "expires_s": expires_s, "is_private": is_private(target, settings)}


def is_private(target: str, settings: Settings) -> bool:
    """Return whether ``target``, a path with a query, is of a private image. Raises BadKey."""
    key = parse_key("/" + target.partition("?")[0].removeprefix("/"))
    return key.startswith(settings.private_prefixes)


def describe_options(presets: Presets) -> dict[str, object]:
    """Return the table of native options as a form needs it, with the names of presets and watermarks."""
    rows = [
        {
            "short": option.short,
            "long": option.long,
            "doc": option.doc,
            "effect": option.effect,
            "kind": option.type.name,
            "rule": option.type.js_args(),
            "expects": option.type.allowed_values,
            "default": _default(option.plan_field),
        }
        for option in NATIVE_OPTIONS
        if option.short not in ("exp", "s")
    ]
    return {
        "options": rows,
        "presets": list(presets.options),
        "at_ingest": list(presets.at_ingest),
        "watermarks": list(presets.watermarks),
        "ladder": list(LADDER_PX),
    }


def _default(plan_field: str) -> Any:
    return json.loads(json.dumps(getattr(Plan(key=""), plan_field, None))) if plan_field else None
