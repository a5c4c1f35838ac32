"""``python -m bench [PART…] [--quick] [--runs N]``: measure, print, and write docs/explanation/performance.md and its
chart.

Without parts it is a full run: its figures are kept in bench/runs.json, and the page's goals are judged by the last
three. ``--quick`` takes few rounds and leaves all files as they are.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime

from . import page, runs
from .chart import draw_chart
from .environment import describe_machine
from .goals import Figure, Rounds, Section, read_goals
from .suites import PARTS, UnknownSuite, list_default_suites, load_suite


def main() -> int:
    """The command; its exit status is 1 if a part failed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; if none is named, a full run")
    parser.add_argument("--quick", action="store_true", help="few rounds, and leave all files as they are")
    parser.add_argument("--runs", type=int, default=1, metavar="N", help="so many runs, each in a process of its own")
    chosen = parser.parse_args()
    if unknown := [name for name in chosen.parts if name not in PARTS]:
        parser.error(f"there is no part {unknown[0]}; parts are {', '.join(PARTS)}")
    if not sys.platform.startswith("linux"):
        parser.error("AWS's Runtime Interface Emulator runs on Linux only")
    if chosen.runs > 1:
        return run_repeatedly(chosen.runs, [*chosen.parts, *(["--quick"] if chosen.quick else [])])
    return run_once(chosen.parts or list_default_suites(), "quick" if chosen.quick else "full", whole=not chosen.parts)


def run_repeatedly(times: int, arguments: Sequence[str]) -> int:
    """Independent runs, one after the other."""
    command = [sys.executable, "-m", "bench", *arguments]
    return max(subprocess.run(command, check=False).returncode for _ in range(times))


def run_once(names: Sequence[str], rounds: Rounds, *, whole: bool) -> int:
    """Measure the parts ``names``; the exit status."""
    load, date, failed = os.getloadavg()[0], datetime.now(UTC).isoformat(timespec="seconds"), False
    figures: list[Figure] = []
    for name in names:
        section = measure_suite(name, rounds)
        failed |= section is None
        if section is None:
            continue
        figures += section.figures
        say(f"== {name}\n\n{page.format_section(section)}\n\n{format_figures(section.figures)}")
        if rounds == "full":
            page.write_page(page.PAGE, page.format_section(section), page.find_markers(name))
    if rounds == "full" and whole:
        store_run(runs.Run(date, describe_machine(), load, {figure.goal: figure for figure in figures}))
    return int(failed)


def measure_suite(name: str, rounds: Rounds) -> Section | None:
    """What the part ``name`` found; None if it is not there or has failed, which is said and keeps no other from it."""
    cores, started_s = os.sched_getaffinity(0), time.monotonic()
    try:
        return load_suite(name).measure(rounds, show_progress)
    except UnknownSuite as reason:
        say(f"== {reason}")
    except Exception:
        say(f"== {name} failed\n{traceback.format_exc()}")
    finally:
        os.sched_setaffinity(0, cores)
        say(f"{name} took {time.monotonic() - started_s:.0f} s")
    return None


def store_run(run: runs.Run) -> None:
    """Keep a full run, and write the goals' table and chart."""
    kept = runs.add_run(run, runs.RUNS)
    page.write_page(page.PAGE, page.format_goals(read_goals(), kept), page.GOALS)
    page.CHART.write_text(draw_chart(read_goals(), kept), encoding="utf-8")
    say(f"Wrote {page.PAGE}, {page.CHART} and {runs.RUNS}")


def format_figures(figures: Sequence[Figure]) -> str:
    """A line for each figure, and whether it meets its goal."""
    lines = []
    for figure in figures:
        goal = read_goals()[figure.goal]
        floor = f", floor {goal.spelled(figure.floor)}" if figure.floor is not None else ""
        spread = f"({goal.spelled(figure.least)}–{goal.spelled(figure.most)}{floor})"
        judged = "met" if goal.met_by(figure) else f"MISSED {figure.why}"
        lines.append(f"{goal.id}: {goal.spelled(figure.value)} {spread}, goal {goal.spelled_limit}: {judged}")
    return "\n".join(lines)


def show_progress(text: str) -> None:
    """Say on one line what is being done."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text} ...")
        sys.stderr.flush()


def say(text: str) -> None:
    """Print, over the line of progress."""
    clear = "\r\033[K" if sys.stderr.isatty() else ""
    print(f"{clear}{text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
