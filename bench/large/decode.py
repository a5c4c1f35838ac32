"""Runs with the layers: the JPEG decoder alone, at an eighth of the size, for each line that it reads.

``python decode.py SOURCE FOLDER`` answers each line with the milliseconds, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pyvips

SHRINK = 8
"""The smallest that libjpeg decodes at; the entropy decoder goes through the whole file all the same."""


def main() -> None:
    """Answer lines until there are no more."""
    data = Path(sys.argv[1]).read_bytes()
    for _ in sys.stdin:
        started = time.perf_counter()
        pyvips.Image.jpegload_buffer(data, shrink=SHRINK, access="sequential").copy_memory()
        print(json.dumps((time.perf_counter() - started) * 1000), flush=True)


if __name__ == "__main__":
    main()
