"""Count how often each measure of the evidence report is right, and write the rates and the guide's table.

``python -m extensions.evidence.bench [FOLDER] [--continue]``. FOLDER has files of exif-samples; without it there are
fewer files of cameras. ``--continue`` keeps what an earlier run has counted.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from bench.page import Markers, write_tables
from bench.tables import Table
from evidence.measures import MEASURES
from evidence.rates import RATES, Rate, load_rates
from local.paths import ROOT

from .cases import count_cameras, list_cases
from .credentials import count_credentials
from .scenes import list_scenes

PAGE = ROOT / "extensions" / "evidence" / "docs" / "guide.md"
MARKERS = Markers(
    "<!-- measured by `python -m extensions.evidence.bench`, do not edit -->", "<!-- end of what was measured -->"
)


def count(samples: Path | None, known: Sequence[Rate]) -> Iterator[Rate]:
    """Yield the rates of all groups, those ``known`` as they are. Raises PackageUnavailable."""
    scenes = list_scenes()
    by_group = {(one.measure, one.group): one for one in known}
    for case in list_cases():
        if found := by_group.get((case.measure, case.group)):
            yield found
            continue
        flagged = sum(case.flags(scenes, number) for number in range(len(scenes)))
        yield Rate(case.measure, case.group, case.is_honest, len(scenes), flagged)
    for counted in (*count_credentials(scenes), *count_cameras(samples)):
        yield Rate(*counted)


def format_table(rates: Sequence[Rate]) -> Table:
    """Return the rates as a table."""
    rows = []
    for one in rates:
        low, high = one.interval
        kind = "honest" if one.is_honest else "altered"
        share = f"{one.share:.0%} ({low:.0%} to {high:.0%})"
        rows.append((one.measure.replace("_", " "), one.group, kind, f"{one.flagged} of {one.images}", share))
    return Table(
        "Flagged images of known history", ("measure", "images", "kind", "flagged", "share, 95 % interval"), tuple(rows)
    )


def write(rates: Sequence[Rate]) -> None:
    """Write rates.json, and the table of the guide."""
    ordered = sorted(rates, key=lambda one: (MEASURES.index(one.measure), not one.is_honest))
    lines = ",\n".join(" " + json.dumps(asdict(one)) for one in ordered)
    RATES.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    write_tables(PAGE, [format_table(ordered)], MARKERS)


def main() -> None:
    """Count, and write after each group."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="files of exif-samples")
    parser.add_argument("--continue", dest="continues", action="store_true", help="keep the groups in rates.json")
    chosen = parser.parse_args()
    rates: list[Rate] = []
    for rate in count(chosen.folder, load_rates() if chosen.continues else ()):
        print(f"{rate.measure}: {rate.group}: {rate.flagged} of {rate.images}", file=sys.stderr, flush=True)
        rates.append(rate)
        write(rates)


if __name__ == "__main__":
    main()
