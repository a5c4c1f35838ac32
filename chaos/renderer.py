"""A child process that asks the transform function for pictures, one after the other, until it dies."""

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


def serve(errand: WorkerSpec) -> None:
    """Ask for ever. Keys at the front of ``errand.keys`` are asked for most."""
    handler = begin(errand)
    number = 0
    while True:
        number += 1
        chance = seeded_random(errand.seed, errand.who, errand.life, number)
        signal.setitimer(signal.ITIMER_REAL, errand.timeout_s)
        handler(_event(_path(chance, errand.keys)), Context(errand.function, errand.timeout_s))
        signal.setitimer(signal.ITIMER_REAL, 0)
        time.sleep(PAUSE_S * chance.random())


def _path(chance: Random, keys: tuple[str, ...]) -> str:
    from darkroom.plan.canonical import canonical_path
    from darkroom.plan.normalize import build_plan
    from darkroom.plan.presets import load_default_presets

    key = keys[int(len(keys) * chance.random() ** 3)]
    plans = [
        *load_default_presets().build_plans(key).values(),
        *(build_plan(key, {"w": width, "f": "jpeg"}) for width in WIDTHS),
    ]
    return canonical_path(chance.choice(plans))


def _event(path: str) -> dict[str, Any]:
    return {"version": "2.0", "rawPath": path, "headers": {}, "requestContext": {"http": {"method": "GET"}}}
