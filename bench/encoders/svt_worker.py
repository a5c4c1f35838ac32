"""Encode images as AVIF by SVT-AV1 for :mod:`.comparing`: a process with pillow-avif-plugin, which has it.

Reads a line of JSON for each image: ``source`` (a PNG), ``target``, ``quality`` of 100, ``speed`` (SVT-AV1's preset)
and ``tune``. Answers with the CPU time of the encode in ms, of all threads.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module

from PIL import Image


def main() -> None:
    """Answer every line."""
    import_module("pillow_avif")  # registers itself with Pillow; only this process has it
    for line in sys.stdin:
        task = json.loads(line)
        with Image.open(task["source"]) as image:
            pixels = image.convert("RGB")
        started_s = time.process_time()
        pixels.save(
            task["target"],
            format="AVIF",
            codec="svt",
            quality=task["quality"],
            speed=task["speed"],
            subsampling="4:2:0",
            max_threads=1,
            advanced={"tune": task["tune"]},
        )
        print((time.process_time() - started_s) * 1000, flush=True)


main()
