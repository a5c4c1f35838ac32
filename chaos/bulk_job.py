"""``python -m chaos.bulk_job``: a library's pictures printed again while workers are killed. See
docs/guides/bulk-jobs.md.

It works on a local stack that runs already, puts masters there, and says whether the report accounts for each.
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

from local.aws import Cloud
from tools.deployment import read_local
from tools.library.runs import Library
from tools.local_stack import STATE, read

from .workers import CrashCounts

PUTS_AT_ONCE = 8
MOST = 1000
"""Workers that are killed at most, unless it is said otherwise."""

SIDE = (160, 120)


@dataclass(frozen=True)
class Accounted:
    """What a run came to. ``wrong`` is empty if each picture is accounted for, and printed."""

    pictures: int
    killed: int
    took_s: float
    outcomes: Mapping[str, int]
    attempts: int
    wrong: list[str] = field(default_factory=list)

    @property
    def line(self) -> str:
        """All of it in a line."""
        counts = ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(self.outcomes.items()))
        passed = f"{self.pictures:,} pictures in {self.took_s:.0f} s, {self.killed} workers killed"
        return f"{passed}, {self.attempts:,} attempts: {counts}"


def run_bulk_job(
    state: Path, *, pictures: int, seed: int, every_s: float, most: int = MOST, concurrency: int = 2
) -> Accounted:
    """Print presets of that many pictures and kill a worker every ``every_s`` seconds of their work, on average."""
    facts, chance = read(state), Random(seed)
    cloud, name = Cloud(facts["aws_endpoint_url"]), f"shaken-{seed}-{time.time_ns() // 1_000_000}"
    etags = _put(cloud, facts["media_bucket"], name, pictures)
    deaths = CrashCounts(
        facts["functions"]["LibraryFunction"]["name"], facts["pids"]["ministack"], chance, every_s, most
    )
    library = Library.of(read_local(state))
    started = time.monotonic()
    with deaths.going_on():
        library.start({"operation": "presets", "prefix": f"{name}/"}, name=name, concurrency=concurrency)
        ended = library.follow(name, lambda _: None)
    took_s = time.monotonic() - started
    lines = _lines(cloud, facts["media_bucket"], name)
    wrong = [*_unaccounted(etags, lines), *_unprinted(cloud, facts["media_bucket"], name, etags)]
    if not ended.is_good:
        wrong.append(f"the run ended as {ended.execution.status}: {ended.execution.cause}")
    counts = Counter(line["outcome"] for line in lines)
    return Accounted(pictures, deaths.killed, took_s, counts, sum(line.get("attempts", 0) for line in lines), wrong)


def _put(cloud: Cloud, bucket: str, name: str, pictures: int) -> dict[str, str]:
    """Masters, as somebody brings them who has clean pictures already; their entity tags by their keys."""

    def put(number: int) -> tuple[str, str]:
        key = f"{name}/{number:05}.jpg"
        etag = cloud.s3.put_object(Bucket=bucket, Key=f"masters/{key}", Body=_picture(number))["ETag"]
        return key, etag.strip('"')

    with ThreadPoolExecutor(PUTS_AT_ONCE) as pool:
        return dict(pool.map(put, range(pictures)))


def _picture(number: int) -> bytes:
    """A JPEG of noise, another one for each number."""
    import pyvips

    noise = pyvips.Image.gaussnoise(*SIDE, sigma=30, mean=110, seed=number)
    shade = noise.linear(1, [number % 100, number // 100 % 100, 40])
    data: bytes = shade.cast("uchar").copy(interpretation="srgb").jpegsave_buffer(Q=85)
    return data


def _lines(cloud: Cloud, bucket: str, name: str) -> list[dict[str, Any]]:
    body = cloud.s3.get_object(Bucket=bucket, Key=f"library/{name}/report.jsonl")["Body"].read()
    return [json.loads(line) for line in body.splitlines()]


def _unaccounted(etags: Mapping[str, str], lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is wrong with a report's lines: each key has one, and says that it was done."""
    told = Counter(str(line["key"]) for line in lines)
    wrong = [f"{key}: {told[key]} lines" for key in etags if told[key] != 1]
    wrong += [f"{key}: nobody asked for it" for key in told if key not in etags]
    return wrong + [f"{line['key']}: {line['outcome']}" for line in lines if line["outcome"] != "done"]


def _unprinted(cloud: Cloud, bucket: str, name: str, etags: Mapping[str, str]) -> list[str]:
    """Keys without prints, whatever the report says of them."""
    pages = cloud.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"derivatives/{name}/")
    names = [one["Key"] for page in pages for one in page.get("Contents", [])]
    printed = Counter(found.removeprefix("derivatives/").partition("/_/")[0] for found in names)
    most = max(printed.values(), default=0)
    return [f"{key}: {printed[key]} prints, others have {most}" for key in etags if printed[key] != max(most, 1)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run once; the exit status is 1 if a picture is not accounted for."""
    parser = argparse.ArgumentParser(prog="python -m chaos.bulk_job", description="Print a library while workers die.")
    parser.add_argument("--state-dir", type=Path, default=STATE, help="of the local stack")
    parser.add_argument("--pictures", type=int, default=2000, help="how many (2000)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000), help="of who dies, and when")
    parser.add_argument(
        "--every",
        type=float,
        default=6.0,
        metavar="SECONDS",
        help="of the workers' processor time between deaths, on average (6)",
    )
    parser.add_argument("--concurrency", type=int, default=2, help="batches at a time (2)")
    chosen = parser.parse_args(arguments)
    found = run_bulk_job(
        chosen.state_dir,
        pictures=chosen.pictures,
        seed=chosen.seed,
        every_s=chosen.every,
        concurrency=chosen.concurrency,
    )
    print(f"seed {chosen.seed}: {found.line}")
    for line in found.wrong:
        print(f"WRONG {line}")
    print(f"{'not ' if found.wrong else ''}each of {found.pictures:,} is accounted for")
    return int(bool(found.wrong))


if __name__ == "__main__":
    sys.exit(main())
