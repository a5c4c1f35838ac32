"""What metadata costs a file: ``python -m bench.metadata``.

Prints the bytes that rights add to a file of 800 px, and the CPU time of adding them, by format.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from statistics import median

from darkroom.imaging.formats.metadata.locate import embed_rights
from darkroom.imaging.formats.metadata.rights import Rights
from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import Plan

from ..images import make_images

FORMATS = ("jpeg", "png", "webp", "avif", "gif")
WIDTH_PX = 800
ROUNDS = 30

RIGHTS: Mapping[str, Rights] = {
    "creator and copyright": Rights(creator="Ann Example", copyright="© 2026 Ann Example"),
    "all fields": Rights(
        "Ann Example; Bob Example",
        "© 2026 Ann Example",
        "Example Agency",
        "https://example.com/licences/editorial",
        "Example Pictures",
        "https://example.com/licences/buy",
        "trainedAlgorithmicMedia",
    ),
}


def measure_cpu_ms(call: Callable[[], object]) -> float:
    """Return the median CPU time of ``call``."""
    found = []
    for _ in range(ROUNDS):
        started_s = time.process_time()
        call()
        found.append((time.process_time() - started_s) * 1000)
    return median(found)


def list_rights_costs(photograph: bytes) -> list[str]:
    """Return a line for each format and set of rights."""
    lines = []
    for form in FORMATS:
        plan = Plan("a", width=WIDTH_PX, format=form)
        body = render(plan, Source.from_bytes(photograph), limits=Limits()).body
        for name, rights in RIGHTS.items():
            added = len(embed_rights(body, form, rights)) - len(body)
            cpu_ms = measure_cpu_ms(partial(embed_rights, body, form, rights))
            lines.append(f"{form:5} {len(body):8,} bytes  + {added:5,} bytes, {cpu_ms:.2f} ms  {name}")
    return lines


def main() -> None:
    """Print all costs."""
    photograph = make_images()[0].read_bytes()
    sys.stdout.write("\n".join(list_rights_costs(photograph)) + "\n")


if __name__ == "__main__":
    main()
