"""``python -m gameday``: the rehearsal. See docs/guides/game-day.md."""

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
sys.path.insert(0, str(ROOT / "layers" / "darkroom"))

REPORT = ROOT / "gameday-report.html"


def main(arguments: Sequence[str] | None = None) -> int:
    """Rehearse once and write the report; the exit status is 1 if anything is not as it must be, 2 without a stage."""
    from local.isolated_stack import NoStack

    from .isolated_stack import open_stack, running
    from .report import write_report
    from .run import run
    from .scenarios import ALL
    from .wait_for import WaitTimeout

    chosen = _parser(list(ALL)).parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="darkroom-gameday-"))
    begun_s = time.time()
    print(f"Stack and logs: {chosen.state or folder / 'stack'}", flush=True)
    scenarios = [ALL[name](folder) for name in chosen.only or ALL]
    try:
        stage = nullcontext(running(chosen.state)) if chosen.state else open_stack(folder / "stack")
        with stage as world:
            _say(f"the stack is ready after {time.time() - begun_s:.0f} s")
            plays = run(world, scenarios, _say)
            write_report(chosen.report, world, list(zip(scenarios, plays, strict=True)), begun_s)
    except (NoStack, WaitTimeout) as error:
        print(f"\n{error}", file=sys.stderr)
        return 2
    failed = [play for play in plays if play.fault]
    for play in plays:
        print(f"  {'FAILED' if play.fault else 'passed'}  {play.title}  {play.fault}")
    print(f"{len(plays) - len(failed)} of {len(plays)} scenarios passed. Report: {chosen.report}")
    if not failed:
        shutil.rmtree(folder)
    return 1 if failed else 0


def _say(line: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {line}", flush=True)


def _parser(names: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gameday", description="Break things, and see who notices.")
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=f"of {', '.join(names)}")
    parser.add_argument("--report", type=Path, default=REPORT, help=f"where the report is written ({REPORT.name})")
    parser.add_argument("--state", type=Path, help="a stack that runs with inference, instead of a new one")
    return parser


if __name__ == "__main__":
    sys.exit(main())
