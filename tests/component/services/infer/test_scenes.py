"""Models look at the level of a large pyramid that serves, which is read by ranges."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from darkroom.services.infer.requests import Kind, Request
from darkroom.services.infer.service import Outcome
from darkroom.services.s3_keys import MASTERS
from tests.component.services.test_master_reader import scene

from .inferring import World

KEY = "maps/scene.tif"


def test_a_scene_is_looked_at_piece_by_piece(world: World) -> None:
    sequencer = world.master(KEY, scene())
    place = {"Bucket": world.names["media"], "Key": MASTERS.name(KEY)}
    head = world.media.head(place["Key"])
    assert head is not None
    world.media.copy(world.media, head.key, head.key, headers={"Content-Type": "image/tiff"})
    read: list[int] = []

    def note(parsed: dict[str, Any], **_: Any) -> None:
        read.append(parsed.get("ContentLength", 0))

    events = world.clients["s3"].meta.events
    events.register("after-call.s3.GetObject", note, unique_id="note")
    small = replace(
        world.infer, terms=replace(world.infer.terms, limits=replace(world.infer.terms.limits, max_bytes=1))
    )
    try:
        assert small.handle(Request(Kind.READY, KEY, sequencer)) is Outcome.ANALYSED
    finally:
        events.unregister("after-call.s3.GetObject", unique_id="note")
    assert not any(finding.error for finding in world.findings(KEY).found.values())
    assert max(read) < 2_000_000  # its largest level serves, of which no piece is much
    assert sum(read) < len(scene())
