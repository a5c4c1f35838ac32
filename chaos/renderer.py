"""A child process that renders one image after another with the transform function, until it is killed."""

from __future__ import annotations

import signal
import time
from random import Random
from typing import Any

from .event_source_mapping import Context
from .seeded_rng import seeded_random
from .worker_spec import WorkerSpec, begin

PAUSE_S = 0.2
WIDTHS = (320, 480)


def serve(spec: WorkerSpec) -> None:
    """Render forever. Keys at the front of ``spec.keys`` are the most frequent."""
    handler = begin(spec)
    number = 0
    while True:
        number += 1
        rng = seeded_random(spec.seed, spec.worker_id, spec.life, number)
        signal.setitimer(signal.ITIMER_REAL, spec.timeout_s)
        handler(_event(_path(rng, spec.keys)), Context(spec.function, spec.timeout_s))
        signal.setitimer(signal.ITIMER_REAL, 0)
        time.sleep(PAUSE_S * rng.random())


def _path(rng: Random, keys: tuple[str, ...]) -> str:
    from darkroom.plan.canonical import build_plan, canonical_path
    from darkroom.plan.presets import load_default_presets

    key = keys[int(len(keys) * rng.random() ** 3)]
    plans = [
        *load_default_presets().build_plans(key).values(),
        *(build_plan(key, {"w": width, "f": "jpeg"}) for width in WIDTHS),
    ]
    return canonical_path(rng.choice(plans))


def _event(path: str) -> dict[str, Any]:
    return {"version": "2.0", "rawPath": path, "headers": {}, "requestContext": {"http": {"method": "GET"}}}
