"""Command line of the game day: ``python -m gameday``. See docs/guides/game-day.md."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "gameday-report.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the scenarios and write the report. Return 1 if a scenario failed, 2 if no stack is available."""
    from local.isolated_stack import StackError

    from .isolated_stack import open_stack, running
    from .report import write_report
    from .run import run_scenarios
    from .scenarios import ALL
    from .wait_for import WaitTimeout

    chosen = _parser(list(ALL)).parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="darkroom-gameday-"))
    begun_s = time.time()
    print(f"Stack and logs: {chosen.state or folder / 'stack'}", flush=True)
    scenarios = [ALL[name](folder) for name in chosen.only or ALL]
    try:
        stack = nullcontext(running(chosen.state)) if chosen.state else open_stack(folder / "stack")
        with stack as environment:
            _log(f"the stack is ready after {time.time() - begun_s:.0f} s")
            results = run_scenarios(environment, scenarios, _log)
            write_report(chosen.report, list(zip(scenarios, results, strict=True)), begun_s)
    except (StackError, WaitTimeout) as error:
        print(f"\n{error}", file=sys.stderr)
        return 2
    failed = [result for result in results if result.fault]
    for result in results:
        print(f"  {'FAILED' if result.fault else 'passed'}  {result.title}  {result.fault}")
    print(f"{len(results) - len(failed)} of {len(results)} scenarios passed. Report: {chosen.report}")
    if not failed:
        shutil.rmtree(folder)
    return 1 if failed else 0


def _log(line: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {line}", flush=True)


def _parser(names: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gameday", description="Inject failures, and verify alarms, remedies and runbooks."
    )
    parser.add_argument(
        "--only", nargs="+", choices=names, metavar="NAME", help=f"scenarios to run, of {', '.join(names)}"
    )
    parser.add_argument("--report", type=Path, default=REPORT, help=f"path of the report ({REPORT.name})")
    parser.add_argument(
        "--state", type=Path, help="state folder of a running stack with inference, instead of a new stack"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
