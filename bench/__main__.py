"""Command line: ``python -m bench [SUITE…] [--quick] [--runs N]``: measure, print, and write performance.md
and growth.md.

Without suites it is a full run: bench/runs.json stores its figures, and the page compares the goals with the last
three. Of several runs, only the last one measures suites whose figures are always the same. Figures of suites that
are not in every full run are added to the last one, if such suites are named alone. ``--quick`` measures few rounds and
writes no files.
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
from importlib import import_module

from . import page, runs
from .environment import describe_machine
from .goals import Figure, Rounds, Section, read_goals
from .link.process import use_tls, uses_tls
from .suites import EXCLUDED, ONCE, SUITES, TLS_SUITES, Suite, list_default_suites


def main() -> int:
    """Run the command. Return 1 if a suite failed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"of {', '.join(SUITES)}; default: a full run")
    parser.add_argument("--quick", action="store_true", help="few rounds, write no files")
    parser.add_argument("--tls", action="store_true", help="S3 by TLS; writes the sections of suites with their own")
    parser.add_argument("--runs", type=int, default=1, metavar="N", help="number of runs, each in its own process")
    parser.add_argument(
        "--times-only", action="store_true", help="a full run without the suites whose figures are always the same"
    )
    chosen = parser.parse_args()
    if unknown := [name for name in chosen.suites if name not in SUITES]:
        parser.error(f"unknown suite {unknown[0]}; suites: {', '.join(SUITES)}")
    if not sys.platform.startswith("linux"):
        parser.error("AWS's Runtime Interface Emulator runs on Linux only")
    if chosen.runs > 1:
        options = [f"--{name}" for name in ("quick", "tls") if getattr(chosen, name)]
        return run_repeatedly(chosen.runs, [*chosen.suites, *options])
    use_tls(on=chosen.tls)
    names = chosen.suites or (TLS_SUITES if chosen.tls else list_default_suites(times_only=chosen.times_only))
    return run_once(names, "quick" if chosen.quick else "full", whole=not (chosen.suites or chosen.tls))


def run_repeatedly(times: int, arguments: Sequence[str]) -> int:
    """Make independent runs, one after the other. Only the last one measures what is always the same."""
    command = [sys.executable, "-m", "bench", *arguments]
    return max(
        subprocess.run([*command, *([] if last else ["--times-only"])], check=False).returncode
        for last in [False] * (times - 1) + [True]
    )


def run_once(names: Sequence[str], rounds: Rounds, *, whole: bool) -> int:
    """Measure the suites ``names``. Return the exit status."""
    load, date, failed = os.getloadavg()[0], datetime.now(UTC).isoformat(timespec="seconds"), False
    figures: list[Figure] = []
    for name in names:
        section = measure_suite(name, rounds)
        failed |= section is None
        if section is None:
            continue
        figures += section.figures
        print_line(f"== {name}\n\n{page.format_section(section)}\n\n{format_figures(section.figures, rounds)}")
        if rounds == "full":
            write_section(name, section)
    if rounds == "full" and whole:
        write_goals(runs.add_run(runs.Run(date, describe_machine(), load, by_goal(figures)), runs.RUNS))
    elif rounds == "full" and figures and (EXCLUDED | ONCE).issuperset(names):
        write_goals(runs.complete_run(by_goal(figures), runs.RUNS))
    return int(failed)


def write_section(name: str, section: Section) -> None:
    """Write a suite's section. With TLS only suites have one whose table has its own."""
    if not uses_tls():
        page.write_charts(section)
        page.write_page(page.find_page(name), page.format_section(section), page.find_markers(name))
    elif name in TLS_SUITES:
        page.write_page(page.PAGE, page.format_section(section), page.find_markers(f"{name} --tls"))


def measure_suite(name: str, rounds: Rounds) -> Section | None:
    """Measure the suite ``name``. Print its failure and return None if it fails."""
    cores, started_s = os.sched_getaffinity(0), time.monotonic()
    try:
        return load_suite(name).measure(rounds, show_progress)
    except Exception:
        print_line(f"== {name} failed\n{traceback.format_exc()}")
    finally:
        os.sched_setaffinity(0, cores)
        print_line(f"{name} took {time.monotonic() - started_s:.0f} s")
    return None


def load_suite(name: str) -> Suite:
    """Import the module of the suite ``name``."""
    module: Suite = import_module(f"bench.suites.{name}")
    return module


def by_goal(figures: Sequence[Figure]) -> dict[str, Figure]:
    """Return ``figures`` by goal."""
    return {figure.goal: figure for figure in figures}


def write_goals(last_runs: Sequence[runs.Run]) -> None:
    """Write the table of goals."""
    page.write_page(page.PAGE, page.format_goals(read_goals(), last_runs), page.GOALS)
    print_line(f"Wrote {page.PAGE} and {runs.RUNS}")


def format_figures(figures: Sequence[Figure], rounds: Rounds) -> str:
    """Format a line for each figure, with its goal's verdict and what it leaves out."""
    lines = []
    for figure in figures:
        goal = read_goals()[figure.goal]
        floor = f", floor {goal.format_value(figure.floor)}" if figure.floor is not None else ""
        spread = f"({goal.format_value(figure.least)}–{goal.format_value(figure.most)}{floor})"
        verdict = "met" if goal.met_by(figure) else f"MISSED {figure.why}"
        if not goal.is_judged_by(figure, rounds):
            verdict = "not judged: too few images"
        left_out = f"; without {goal.leaves_out}" if goal.leaves_out else ""
        shown = f"{goal.id}: {goal.format_value(figure.value)} {spread}, goal {goal.format_limit}"
        lines.append(f"{shown}: {verdict}{left_out}")
    return "\n".join(lines)


def show_progress(text: str) -> None:
    """Show progress on one line."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text} ...")
        sys.stderr.flush()


def print_line(text: str) -> None:
    """Print a line in place of the progress."""
    clear = "\r\033[K" if sys.stderr.isatty() else ""
    print(f"{clear}{text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
