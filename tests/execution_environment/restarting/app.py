"""A function that abandons a thread, as one that renders does after its limit, and replaces its process."""

import time
import uuid
from typing import Any

from darkroom.errors import TooSlow, Unavailable
from darkroom.services.deadline import CpuLimit, Deadline, restart_if_abandoned

PROCESS = uuid.uuid4().hex


def spin() -> None:
    while True:
        time.sleep(0)


@restart_if_abandoned
def handler(event: dict[str, Any], _: object) -> dict[str, str]:
    """Return what names the process, after a call that exceeds its limit if the event has "abandon"."""
    if event["abandon"]:
        try:
            Deadline(CpuLimit(cpu_s=0.1, wall_s=30)).run(spin)
        except (TooSlow, Unavailable):
            return {"process": PROCESS, "abandoned": "yes"}
    return {"process": PROCESS, "abandoned": "no"}
