"""Compute the inference samples of drawn images with the real models and preparation.

Uploading thousands of images through ingest and the endpoint takes half an hour. This computes the samples in local
processes with infer's code, and stores them where infer does. They are equal in each run and cached.
"""

from __future__ import annotations

import json
import multiprocessing
import os
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from darkroom.findings import MODERATION, SIMILARITY
from darkroom.imaging.formats.probe import sniff
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom_analysis.inference.merge import lowest_source
from darkroom_analysis.inference.views import prepare_jpeg
from darkroom_analysis.mlops.sample import Sample, parse_sample, quantise, summarise
from darkroom_analysis.models import in_process
from darkroom_analysis.models.catalogue import SMALL_MODELS
from darkroom_pipeline.imaging import views
from local.paths import MODELS

from . import images
from .images import draw_image

TASKS = (MODERATION, SIMILARITY)
"""Tasks of the fallback models to run. Faces and text would take five times as long."""

PROCESSES, NICENESS = 2, 10
CACHE = Path(MODELS).parent / "gameday"
"""Cache of samples, 1 MB per thousand."""


def make_samples(kind: str, seed: str, count: int, at_s: float) -> list[Sample]:
    """Return the samples of the first ``count`` images of ``seed``, all at the Unix time ``at_s``."""
    file = CACHE / f"{kind}-{seed}-{count}-{_digest()}.jsonl"
    if not file.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with multiprocessing.get_context("spawn").Pool(PROCESSES, os.nice, (NICENESS,)) as pool:
            found = pool.starmap(_sample, [(kind, seed, number) for number in range(count)], chunksize=16)
        draft = file.with_suffix(".new")
        draft.write_text("".join(json.dumps(_as_json(one)) + "\n" for one in found))
        draft.replace(file)
    return [replace(_read(line), at_s=at_s) for line in file.read_text().splitlines()]


def _sample(kind: str, seed: str, number: int) -> Sample:
    image = draw_image(kind, seed, number)
    jpeg = prepare_jpeg(Source.from_bytes(image.body), Limits())
    found = _models().detect(jpeg, TASKS)
    size = images.read_size(image)
    return Sample(
        key=f"gameday/{kind}-{seed}-{number}.{image.suffix}",
        source_etag=sha256(image.body).hexdigest()[:32],
        at_s=0.0,
        format=sniff(image.body),
        pixels=size[0] * size[1],
        brightness=views.mean_luma(jpeg),
        tasks={task: summarise(finding) for task, finding in found.items()},
        by=lowest_source(found),
        embedding=quantise(found[SIMILARITY].vector),
    )


@cache
def _models() -> in_process.InProcessDetector:
    return in_process.InProcessDetector(MODELS, TASKS)


@cache
def _digest() -> str:
    """Return a digest of the code and models that determine samples."""
    sources = (Path(images.__file__), Path(views.__file__), Path(in_process.__file__), Path(__file__), SMALL_MODELS)
    return sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]


def _as_json(sample: Sample) -> dict[str, Any]:
    return sample.to_document() | {"embedding": sample.embedding.hex()}


def _read(line: str) -> Sample:
    document = json.loads(line)
    return parse_sample(document | {"embedding": bytes.fromhex(document["embedding"])})
