"""Events for functions whose events cannot be files of the repository.

Upload and similar need a token, which expires within a day; the scene function needs a version of an upload.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from darkroom.grant_tokens import MAX_TOKEN_LASTS_S
from darkroom.services.upload_requests import Grant, make_token
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.services.large_image.steps import ALL_STRIPS

from .aws import Cloud
from .event_samples import upload_quietly
from .events import Event, read_events

PREFIX = "samples/"
KNOWN = "samples/coffee.png"
"""An image that each start of the stack ingests."""

SCENE = "samples/events/scene.tif"
SCENE_PX = (1200, 900)
"""Larger than one tile."""


def write_events(info: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write the events of the running stack below ``folder``; return their paths."""
    written = []
    for name, event in build_events(info):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(event, indent=2) + "\n", encoding="utf-8")
        written.append(path)
    return written


def build_events(info: Mapping[str, Any]) -> Iterator[tuple[str, Event]]:
    """Yield each event with its path, which begins with the function's name."""
    grant = Grant(PREFIX, int(time.time()) + MAX_TOKEN_LASTS_S - 60)
    headers = {"authorization": f"Bearer {make_token(grant, info['signing_key'])}"}
    yield "upload/form.json", _add_headers("upload", "no-token.json", headers)
    yield "upload/state.json", _add_headers("upload", "no-token-state.json", headers)
    yield "similar/found.json", _add_headers("similar", "no-token.json", headers)
    version_id = _put_scene(Cloud(info["aws_endpoint_url"]), info["uploads_bucket"])
    named = {"scene": sha256(version_id.encode()).hexdigest()[:32], "key": SCENE, "version_id": version_id}
    yield "scene/plan.json", {"action": "plan", **named}
    yield "scene/cut.json", {"action": "cut", **named, "strip": ALL_STRIPS}
    yield "scene/bind.json", {"action": "bind", **named}
    yield "scene/tell.json", {"action": "tell", **named}  # terms: allow


def _add_headers(function: str, name: str, headers: Mapping[str, str]) -> Event:
    event = read_events(function)[name]
    return event | {"headers": event["headers"] | headers}


def _put_scene(cloud: Cloud, bucket: str) -> str:
    """Return the version of the scene's upload. Upload it without an event if it is missing."""
    uploads = S3Bucket(cloud.s3, bucket)
    if uploads.head(SCENE) is None:
        upload_quietly(cloud, bucket, {SCENE: _draw_scene()})
    head = uploads.head(SCENE)
    assert head is not None
    return head.version_id


def _draw_scene() -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.effect_mandelbrot(SCENE_PX, (-2.0, -1.1, 0.9, 1.1), 60).convert("RGB").save(buffer, "TIFF")
    return buffer.getvalue()
