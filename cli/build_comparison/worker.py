"""Render requests with one build: ``python -P worker.py BUILD``, which runs in a process of its own.

BUILD is a checkout. Each line of the input is a JSON object with the canonical path of a derivative (``path``), the
file of its ``master``, those of its ``overlays`` by object name, and that of the ``result``; the answer to it is one
line, with ``error`` if there is no result. Only functions are used that earlier builds have, too.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any


def main() -> None:
    """Answer each line of the input."""
    sys.path.insert(0, str(Path(sys.argv[1]) / "layers" / "darkroom"))
    register_overlays()
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = render_request(asked["path"], Path(asked["master"]), asked["overlays"], Path(asked["result"]))
        except Exception as error:  # an error of this build is what the comparison shows
            answer = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def register_overlays() -> None:
    """Register the overlays of a build that has a registry."""
    with suppress(ImportError):
        from darkroom.overlays.plugin import OVERLAYS
        from darkroom.plan.option_plugins import register_plugin

        register_plugin(OVERLAYS)


def render_request(path: str, master: Path, overlays: Mapping[str, str], result: Path) -> dict[str, Any]:
    """Render ``path`` from ``master`` into ``result``; return its type, size in bytes and the CPU time in ms."""
    from darkroom.imaging.render.pipeline import render
    from darkroom.imaging.source import Source
    from darkroom.plan.canonical import parse_path
    from darkroom.plan.limits import Limits

    started_s = time.process_time()
    files = {name: Path(file).read_bytes() for name, file in overlays.items()}
    given: dict[str, Any] = {"overlays": files} if files else {}  # builds without overlays have no such parameter
    image = render(parse_path(path), Source.from_bytes(master.read_bytes()), limits=Limits(), **given)
    result.write_bytes(image.body)
    spent_ms = (time.process_time() - started_s) * 1000
    return {"type": image.content_type, "bytes": len(image.body), "cpu_ms": round(spent_ms, 1)}


if __name__ == "__main__":
    main()
