"""The command that compares the images of two builds."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from ..app import app
from ..errors import CommandError
from ..exit_codes import ExitCode
from ..framework import FILE, FOLDER, Call


@app.command(
    "compare-builds",
    output={
        "compared": "number of requests that were rendered by both builds",
        "lowest": "lowest score, null if none was compared",
        "passed": "whether every result has a score of --min-score or more",
        "page": "path of the page",
    },
)
@click.argument("logs", type=FILE, nargs=-1, required=True, metavar="LOG...")
@click.option("--builds", nargs=2, type=FOLDER, required=True, metavar="BEFORE AFTER", help="Two checkouts.")
@click.option("--limit", type=click.IntRange(min=1), default=200, show_default=True, help="Different URLs at most.")
@click.option("--min-score", type=click.FloatRange(max=100), default=90, show_default=True, metavar="SCORE")
@click.option(
    "--page",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("compare-builds.html"),
    show_default=True,
    help="The page with the worst twenty results.",
)
def compare_builds(
    call: Call, logs: tuple[Path, ...], builds: tuple[Path, Path], limit: int, min_score: float, page: Path
) -> int:
    """Render the most frequent requests of access logs with two builds, and compare the images.

    LOG is a log file of the CDN, compressed or not. Masters are those of the stack. The exit code is 1 if a result is
    below --min-score, differs in size or type, or fails in one build only. Use it before an upgrade of the renderer.
    """
    from darkroom.settings import parse_settings
    from tools.build_comparison.compare import compare_builds as compare
    from tools.build_comparison.compare import start_build
    from tools.build_comparison.page import format_page, summarise
    from tools.build_comparison.requests import choose_requests, read_targets
    from tools.settings.store import SettingsStore

    presets = parse_settings(SettingsStore(call.deployment.bucket("MediaBucketName")).current().table).presets
    requests, left_out = choose_requests(read_targets(logs), presets, limit)
    names = (builds[0].name, builds[1].name)
    with TemporaryDirectory() as scratch, ExitStack() as running:
        folder = Path(scratch)
        before, after = (
            running.enter_context(start_build(name, checkout))
            for name, checkout in zip(("before", "after"), builds, strict=True)
        )
        compared = list(compare(requests, (before, after), _fetch_masters(call, folder), folder))
        if not compared:
            raise CommandError("There is nothing to compare: no logged request is for a stored master.")
        page.write_text(format_page(compared, names, left_out), encoding="utf-8")
        lines = [f"{text:>8}  {name}" for name, text in summarise(compared, left_out)]
    scores = [one.score for one in compared if one.score is not None]
    passed = len(scores) == len(compared) and min(scores) >= min_score
    lowest = min(scores) if scores else None
    call.emit({"compared": len(compared), "lowest": lowest, "passed": passed, "page": str(page)}, [*lines, str(page)])
    return ExitCode.OK if passed else ExitCode.FAILED


def _fetch_masters(call: Call, folder: Path) -> Callable[[str], Path | None]:
    """Return what downloads a master into ``folder`` at its first use."""
    bucket, names = call.deployment.masters()

    def fetch(key: str) -> Path | None:
        path = folder / sha256(key.encode()).hexdigest()
        if not path.exists():
            opened = bucket.open(names.name(key))
            if opened is None:
                return None
            with opened.body as body:
                path.write_bytes(body.read())
        return path

    return fetch
