"""Helpers for the tests of masters."""

from __future__ import annotations

from typing import Any

import pyvips

from darkroom.imaging.formats.load import LOADERS
from darkroom.imaging.formats.probe import Header, probe
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom_pipeline.imaging.master import Master, make_master

from .rendering import alike, apart, made, seen

LEAST_SSIM, MOST_LEVELS = 0.97, 2.5
"""As the goldens of the whole path allow."""


def header(data: bytes) -> Header:
    return probe(Source.from_bytes(data), Limits())


def mastered(data: bytes, *, limits: Limits | None = None) -> Master:
    return make_master(data, header(data), limits=limits or Limits())


def loaded(data: bytes) -> bytes:
    """The numbers of all frames as libvips decodes them, nothing converted."""
    image_header = header(data)
    operation = LOADERS[image_header.format].operation.replace("_source", "_buffer")
    return bytes(
        pyvips.Operation.call(operation, data, **({"n": -1} if image_header.animated else {})).write_to_memory()
    )


def look_alike(upload: bytes, master: bytes, **options: Any) -> None:
    before, after = (seen(made(body, **options).body) for body in (upload, master))
    assert apart(before, after) <= MOST_LEVELS
    assert alike(before, after) >= LEAST_SSIM
