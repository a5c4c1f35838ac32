"""A process that counts lines until its crash point, started by tests: three invocations of one line each."""

from __future__ import annotations

import sys
from pathlib import Path

from chaos.crash_points import PACKAGE, CrashPoint, die_at

if __name__ == "__main__":
    from darkroom import image_keys

    crash_report = Path(sys.argv[1])

    def write(place: str) -> None:
        crash_report.write_text(place)

    within = PACKAGE / sys.argv[2]
    begin_invocation = die_at(CrashPoint((within,), int(sys.argv[4]), int(sys.argv[3])), write)
    for _ in range(3):
        begin_invocation()
        image_keys.quote_key("photo.jpg")
        print("quoted", flush=True)
