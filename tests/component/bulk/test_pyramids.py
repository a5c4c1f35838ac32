"""Render presets of pyramids again from the smallest sufficient level."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import pyvips

from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import Source
from darkroom.plan.canonical import derivative_name
from darkroom.plan.limits import Limits
from darkroom.plan.presets import load_default_presets
from tests.component.services.test_master_reader import scene

from .jobs import BulkJobs

KEY = "many/scene.tif"
ORDER = {"operation": "presets", "prefix": "many/"}


def put(runs: BulkJobs, **metadata: str) -> None:
    place: dict[str, Any] = {"Bucket": runs.env.names["media"], "Key": f"masters/{KEY}"}
    runs.env.clients["s3"].put_object(**place, Body=scene(), ContentType="image/tiff", Metadata=metadata)


@pytest.mark.slow
def test_a_pyramid_over_the_limits_renders_as_on_request(runs: BulkJobs) -> None:
    runs.env.limits = Limits(max_bytes=2_000_000, max_pixels=11_000_000)
    assert pyvips.Image.new_from_buffer(scene(), "").width * 3072 > runs.env.limits.max_pixels
    put(runs, how="pyramid")
    assert runs.all("one", ORDER) == {KEY: "done"}
    source, limits = Source.from_bytes(scene()), replace(runs.env.limits, max_bytes=len(scene()))
    plans = [plan for plan in load_default_presets().build_ingest_plans(KEY).values() if plan.watermark is None]
    made = {name: runs.env.body("media", name) for name in runs.env.keys("media", "derivatives/")}
    assert made
    wanted = {f"derivatives/{derivative_name(plan)}": render(plan, source, limits=limits).body for plan in plans}
    assert {name: wanted[name] for name in made} == made


@pytest.mark.slow
def test_limits_apply_to_large_masters_without_a_pyramid(runs: BulkJobs) -> None:
    runs.env.limits = Limits(max_bytes=2_000_000)
    put(runs)
    assert runs.all("one", ORDER) == {KEY: "refused over-limits"}
