"""Run a job with the ingest function's layers once for each input line.

``python ingest.py JOB SOURCE PRESETS FOLDER`` writes the job's milliseconds as JSON for each line, and its result into
FOLDER. PRESETS is a JSON object of names and plans' fields.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyvips

from darkroom.imaging.formats.encode import EncodableImage, encode_with
from darkroom.imaging.formats.image_format import EncoderOptions
from darkroom.imaging.formats.load import load
from darkroom.imaging.formats.probe import probe
from darkroom.imaging.formats.registry import OUTPUT_FORMATS
from darkroom.imaging.render.output import MezzanineOf
from darkroom.imaging.render.pipeline import resolve_geometry
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import DEFAULT_QUALITY, Gravity, Plan
from darkroom_pipeline.imaging.render_many import decode_once

type Job = Callable[[bytes, Mapping[str, Plan]], Mapping[str, bytes]]

LIMITS = Limits()
WEBP = OUTPUT_FORMATS["webp"]
SHARPS_EFFORT = 4
"""sharp's default for WebP. Efforts below 3, which take as long, need more bytes than are comparable."""


def render_all(data: bytes, plans: Mapping[str, Plan]) -> Mapping[str, bytes]:
    """Render all images from one decode."""
    return _render_all(data, plans, mezzanines=False)


def render_with_mezzanines(data: bytes, plans: Mapping[str, Plan]) -> Mapping[str, bytes]:
    """Render all images and the mezzanines from one decode, as ingest does."""
    return _render_all(data, plans, mezzanines=True)


def _render_all(data: bytes, plans: Mapping[str, Plan], *, mezzanines: bool) -> Mapping[str, bytes]:
    names = {plan: name for name, plan in plans.items()}
    batch = decode_once(Source.from_bytes(data), names, limits=LIMITS, mezzanines=mezzanines)
    return {
        f"mezzanine-{plan.side_px}" if isinstance(plan, MezzanineOf) else names[plan]: image.body
        for plan, image in batch.render_all()
    }


class Alone:
    """One decode, as small as the largest image allows, and each image encoded with sharp's effort.

    The first call renders the images.
    """

    def __init__(self) -> None:
        self._finished: dict[str, tuple[EncodableImage, int]] = {}

    def __call__(self, data: bytes, plans: Mapping[str, Plan]) -> Mapping[str, bytes]:
        """Encode by preset."""
        if not self._finished:
            self._finished = {name: _finished(body, plans[name]) for name, body in render_all(data, plans).items()}
        source = Source.from_bytes(data)
        header = probe(source, LIMITS)
        geometry = resolve_geometry(max(plans.values(), key=lambda plan: plan.width or 0), header)
        load(source, header, geometry, LIMITS).frames[0].copy_memory()
        knobs: EncoderOptions = {"effort": SHARPS_EFFORT}
        return {name: encode_with(sheet, WEBP, quality, knobs) for name, (sheet, quality) in self._finished.items()}


def _finished(body: bytes, plan: Plan) -> tuple[EncodableImage, int]:
    quality = plan.quality if isinstance(plan.quality, int) else DEFAULT_QUALITY.webp
    return EncodableImage.from_frames([pyvips.Image.new_from_buffer(body, "").copy_memory()], [], 0), quality


JOBS: Mapping[str, Job] = {
    "series": render_all,
    "ingest": render_with_mezzanines,
    "alone": Alone(),
}


def build_plan_of(fields: Mapping[str, Any]) -> Plan:
    """Build the plan of a preset's fields."""
    gravity = {"gravity": Gravity(fields["gravity"])} if "gravity" in fields else {}
    return Plan("photo", **{**fields, **gravity})


def main() -> None:
    """Process lines until the input ends."""
    job, source, presets, folder = sys.argv[1:]
    plans = {name: build_plan_of(fields) for name, fields in json.loads(presets).items()}
    data = Path(source).read_bytes()
    for _ in sys.stdin:
        started = time.perf_counter()
        made = JOBS[job](data, plans)
        ms = (time.perf_counter() - started) * 1000
        for name, body in made.items():
            (Path(folder) / name).write_bytes(body)
        print(json.dumps(ms), flush=True)


if __name__ == "__main__":
    main()
