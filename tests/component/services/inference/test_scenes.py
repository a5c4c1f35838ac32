"""Analyse the sufficient level of a large pyramid, read by ranges."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from darkroom.image_keys import MASTERS
from darkroom_analysis.inference.analysis import AnalysisOutcome
from darkroom_pipeline.services.analysis_requests import AnalysisRequest, RequestKind
from tests.component.services.test_master_reader import scene

from .harness import InferEnvironment

KEY = "maps/scene.tif"


@pytest.mark.slow
def test_a_large_image_is_analysed_by_ranges(env: InferEnvironment) -> None:
    sequencer = env.master(KEY, scene())
    place = {"Bucket": env.names["media"], "Key": MASTERS.name(KEY)}
    head = env.media.head(place["Key"])
    assert head is not None
    env.media.copy(env.media, head.key, head.key, headers={"Content-Type": "image/tiff"})
    read: list[int] = []

    def note(parsed: dict[str, Any], **_: Any) -> None:
        read.append(parsed.get("ContentLength", 0))

    events = env.clients["s3"].meta.events
    events.register("after-call.s3.GetObject", note, unique_id="note")
    small = replace(
        env.infer, settings=replace(env.infer.settings, limits=replace(env.infer.settings.limits, max_bytes=1))
    )
    try:
        assert small.handle(AnalysisRequest(RequestKind.READY, KEY, sequencer)) is AnalysisOutcome.ANALYSED
    finally:
        events.unregister("after-call.s3.GetObject", unique_id="note")
    assert not any(finding.error for finding in env.findings(KEY).found.values())
    assert max(read) < 2_000_000  # its largest level serves, of which no piece is much
    assert sum(read) < len(scene())
