"""Kill workers during a bulk job: ``python -m chaos.bulk_job``. See docs/guides/bulk-jobs.md.

Writes masters to a running local stack, renders their presets, and checks that the job's report accounts for each.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from .crash_points import ROOT

sys.path.insert(0, str(ROOT / "layers" / "darkroom"))

from cli.deployment import read_local
from cli.library.runs import Library
from cli.local_stack import STATE, read
from local.aws import Cloud

from .workers import CrashCounts

PUTS_AT_ONCE = 8
MAX_KILLS = 1000
"""Default limit of killed workers."""

SIDE = (160, 120)


@dataclass(frozen=True)
class Accounted:
    """Result of a run. ``wrong`` is empty if each image is in the report once and has its derivatives."""

    images: int
    killed: int
    took_s: float
    outcomes: Mapping[str, int]
    attempts: int
    wrong: list[str] = field(default_factory=list)

    @property
    def line(self) -> str:
        """Return the result as one line."""
        counts = ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(self.outcomes.items()))
        passed = f"{self.images:,} images in {self.took_s:.0f} s, {self.killed} workers killed"
        return f"{passed}, {self.attempts:,} attempts: {counts}"


def run_bulk_job(
    state: Path, *, images: int, seed: int, interval_s: float, max_kills: int = MAX_KILLS, concurrency: int = 2
) -> Accounted:
    """Render presets of ``images`` masters and kill a worker every ``interval_s`` seconds of CPU time, on average."""
    facts, rng = read(state), Random(seed)
    cloud, name = Cloud(facts["aws_endpoint_url"]), f"shaken-{seed}-{time.time_ns() // 1_000_000}"
    etags = _put(cloud, facts["media_bucket"], name, images)
    deaths = CrashCounts(
        facts["functions"]["LibraryFunction"]["name"], facts["pids"]["ministack"], rng, interval_s, max_kills
    )
    library = Library.of(read_local(state))
    started = time.monotonic()
    with deaths.running():
        library.start({"operation": "presets", "prefix": f"{name}/"}, name=name, concurrency=concurrency)
        ended = library.follow(name, lambda _: None)
    took_s = time.monotonic() - started
    lines = _lines(cloud, facts["media_bucket"], name)
    wrong = [*_find_unaccounted(etags, lines), *_find_unrendered(cloud, facts["media_bucket"], name, etags)]
    if not ended.is_good:
        wrong.append(f"the job ended as {ended.execution.status}: {ended.execution.cause}")
    counts = Counter(line["outcome"] for line in lines)
    return Accounted(images, deaths.killed, took_s, counts, sum(line.get("attempts", 0) for line in lines), wrong)


def _put(cloud: Cloud, bucket: str, name: str, images: int) -> dict[str, str]:
    """Write masters as an import does. Return their entity tags by key."""

    def put(number: int) -> tuple[str, str]:
        key = f"{name}/{number:05}.jpg"
        etag = cloud.s3.put_object(Bucket=bucket, Key=f"masters/{key}", Body=_draw_image(number))["ETag"]
        return key, etag.strip('"')

    with ThreadPoolExecutor(PUTS_AT_ONCE) as pool:
        return dict(pool.map(put, range(images)))


def _draw_image(number: int) -> bytes:
    """Return a JPEG of noise, different for each number."""
    import pyvips

    noise = pyvips.Image.gaussnoise(*SIDE, sigma=30, mean=110, seed=number)
    shade = noise.linear(1, [number % 100, number // 100 % 100, 40])
    data: bytes = shade.cast("uchar").copy(interpretation="srgb").jpegsave_buffer(Q=85)
    return data


def _lines(cloud: Cloud, bucket: str, name: str) -> list[dict[str, Any]]:
    body = cloud.s3.get_object(Bucket=bucket, Key=f"library/{name}/report.jsonl")["Body"].read()
    return [json.loads(line) for line in body.splitlines()]


def _find_unaccounted(etags: Mapping[str, str], lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """Describe keys that the report does not contain once, or whose outcome is not ``done``."""
    counts_by_key = Counter(str(line["key"]) for line in lines)
    wrong = [f"{key}: {counts_by_key[key]} lines" for key in etags if counts_by_key[key] != 1]
    wrong += [f"{key}: not in the job" for key in counts_by_key if key not in etags]
    return wrong + [f"{line['key']}: {line['outcome']}" for line in lines if line["outcome"] != "done"]


def _find_unrendered(cloud: Cloud, bucket: str, name: str, etags: Mapping[str, str]) -> list[str]:
    """Describe keys whose derivatives are not all stored, regardless of the report."""
    pages = cloud.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"derivatives/{name}/")
    names = [one["Key"] for page in pages for one in page.get("Contents", [])]
    rendered = Counter(found.removeprefix("derivatives/").partition("/_/")[0] for found in names)
    expected = max(rendered.values(), default=0)
    return [
        f"{key}: {rendered[key]} derivatives, others have {expected}"
        for key in etags
        if rendered[key] != max(expected, 1)
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run once. Return 1 if an image is unaccounted for."""
    parser = argparse.ArgumentParser(
        prog="python -m chaos.bulk_job", description="Run a bulk job while workers are killed."
    )
    parser.add_argument("--state-dir", type=Path, default=STATE, help="state folder of the local stack")
    parser.add_argument("--images", type=int, default=2000, help="number of masters (2000)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000), help="seed of the kills")
    parser.add_argument(
        "--every",
        type=float,
        default=6.0,
        metavar="SECONDS",
        help="mean CPU time of the workers between kills (6)",
    )
    parser.add_argument("--concurrency", type=int, default=2, help="concurrent batches (2)")
    chosen = parser.parse_args(arguments)
    found = run_bulk_job(
        chosen.state_dir,
        images=chosen.images,
        seed=chosen.seed,
        interval_s=chosen.every,
        concurrency=chosen.concurrency,
    )
    print(f"seed {chosen.seed}: {found.line}")
    for line in found.wrong:
        print(f"WRONG {line}")
    print(f"{'not ' if found.wrong else ''}each of {found.images:,} is accounted for")
    return int(bool(found.wrong))


if __name__ == "__main__":
    sys.exit(main())
