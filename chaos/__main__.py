"""Command line of the chaos test: ``python -m chaos``. See docs/guides/chaos-test.md."""

from __future__ import annotations

import argparse
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chaos test and print its report. Return 1 for violations, 2 if the run could not start."""
    from local.errors import StartError

    from .report import report
    from .run import Settings, run
    from .worker_pool import WorkerError

    chosen = _parser().parse_args(arguments)
    settings = Settings(chosen.seed, chosen.uploads, chosen.workers, chosen.minutes)
    folder = Path(tempfile.mkdtemp(prefix="darkroom-chaos-", dir=chosen.folder))
    print(f"{settings.command}\nLogs: {folder / 'logs'}", flush=True)
    try:
        findings = run(settings, folder, _print_progress)
    except (StartError, WorkerError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 2
    print(f"\n\n{report(findings)}")
    if findings.violations:
        return 1
    shutil.rmtree(folder)
    return 0


def _print_progress(line: str) -> None:
    """Overwrite the last line on a terminal; print every ten seconds elsewhere."""
    if sys.stdout.isatty():
        print(f"\r\033[K{line}", end="", flush=True)
    elif int(time.monotonic()) % 10 == 0:
        print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m chaos", description="Upload while AWS calls fail and workers are killed."
    )
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000), help="seed of every random decision")
    parser.add_argument("--uploads", type=int, default=500, help="number of uploads (500)")
    parser.add_argument("--workers", type=int, default=4, help="concurrent ingest workers (4)")
    parser.add_argument("--minutes", type=float, default=60.0, help="limit of the fault phase (60)")
    parser.add_argument(
        "--folder",
        type=Path,
        help="parent folder of logs and MiniStack's data, which are deleted if the run passes",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
