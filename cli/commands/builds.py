"""The command that compares the images of two builds."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from ..app import app
from ..errors import CommandError
from ..exit_codes import ExitCode
from ..framework import FILE, FOLDER, Call

if TYPE_CHECKING:
    from cli.build_comparison.compare import Comparison
    from darkroom_pipeline.aws.s3 import S3Bucket


@app.command(
    "compare-builds",
    in_development=True,
    output={
        "compared": "number of compared requests, without those in `failing`",
        "failing": "number of requests that fail with the same error in both builds",
        "left_out": "number of logged requests that were not compared, by reason",
        "lowest": "lowest score, null if there is none",
        "passed": "whether every result has a score of --min-score or more",
        "page": "path of the page",
    },
    examples=("darkroom compare-builds requests.gz --builds ../darkroom-before . --stack shop",),
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

    LOG is a log file of the CDN, compressed or not. Masters and images of overlays are those of the stack. Requests in
    URLs of other services, for data, with watermarks or up=ai, and those that need findings are left out and counted.
    The exit code is 1 if a result is below --min-score, differs in size or type, or fails in one build only, or if no
    request was rendered. Requests that fail with the same error in both builds are counted apart. Use it before an
    upgrade of the renderer.
    """
    from cli.build_comparison.compare import compare_builds as compare
    from cli.build_comparison.compare import start_build
    from cli.build_comparison.page import format_page, summarise
    from cli.build_comparison.requests import choose_requests, read_targets
    from cli.settings.store import SettingsStore
    from darkroom.settings import parse_settings

    media = call.deployment.bucket("MediaBucketName")
    masters, object_names = call.deployment.masters()
    presets = parse_settings(SettingsStore(media).current().table).presets
    requests, left_out = choose_requests(read_targets(logs), presets, limit)
    names = (builds[0].name, builds[1].name)
    with TemporaryDirectory() as scratch, ExitStack() as running:
        folder = Path(scratch)
        before, after = (
            running.enter_context(start_build(name, checkout))
            for name, checkout in zip(("before", "after"), builds, strict=True)
        )
        compared, missing = compare(
            requests,
            (before, after),
            lambda key: _download(masters, object_names.name(key), folder),
            lambda name: _download(media, name, folder),
            folder,
        )
        left_out += missing
        if not compared:
            reasons = ", ".join(f"{reason} ({count})" for reason, count in sorted(left_out.items()))
            raise CommandError(f"There is nothing to compare: {reasons or 'the logs have no delivered image'}.")
        page.write_text(format_page(compared, names, left_out), encoding="utf-8")
        lines = [f"{text:>8}  {name}" for name, text in summarise(compared, left_out)]
    if all(one.before.error and one.after.error for one in compared):
        raise CommandError(f"Neither build renders any request: {compared[0].after.error} ({page} has the errors)")
    found = _judge(compared, min_score)
    call.emit({**found, "left_out": dict(left_out), "page": str(page)}, [*lines, str(page)])
    return ExitCode.OK if found["passed"] else ExitCode.FAILED


def _judge(compared: Sequence[Comparison], min_score: float) -> dict[str, Any]:
    """Return the part of the command's document that depends on results. At least one build rendered one of them."""
    tried = [one for one in compared if not one.shared_error]
    scores = [one.score for one in tried if one.score is not None]
    passed = len(scores) == len(tried) and min(scores) >= min_score
    failing = len(compared) - len(tried)
    return {"compared": len(tried), "failing": failing, "lowest": min(scores, default=None), "passed": passed}


def _download(bucket: S3Bucket, name: str, folder: Path) -> Path | None:
    """Return the file of an object in ``folder``, downloaded at its first use, or None if it is missing."""
    path = folder / sha256(f"{bucket.bucket}/{name}".encode()).hexdigest()
    if not path.exists():
        opened = bucket.open(name)
        if opened is None:
            return None
        with opened.body as body:
            path.write_bytes(body.read())
    return path
