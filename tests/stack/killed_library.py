"""Kill workers during a bulk job. See docs/guides/bulk-jobs.md.

Writes masters to a running local stack, renders their presets, and checks that the job's report accounts for each.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from cli.deployment import read_local
from cli.library.runs import Library
from cli.local_stack import read
from local.aws import Cloud

from .function_processes import CrashCounts

PUTS_AT_ONCE = 8
SIDE = (160, 120)


@dataclass(frozen=True)
class Accounted:
    """Result of a run. ``wrong`` is empty if each image is in the report once and has its derivatives."""

    killed: int
    outcomes: Mapping[str, int]
    wrong: list[str]


def run_bulk_job(state: Path, *, images: int, seed: int, interval_s: float, max_kills: int) -> Accounted:
    """Render presets of ``images`` masters and kill a worker every ``interval_s`` seconds of CPU time, on average."""
    facts, rng = read(state), Random(seed)
    cloud, name = Cloud(facts["aws_endpoint_url"]), f"shaken-{seed}-{time.time_ns() // 1_000_000}"
    etags = _put(cloud, facts["media_bucket"], name, images)
    deaths = CrashCounts(
        facts["functions"]["LibraryFunction"]["name"], facts["pids"]["ministack"], rng, interval_s, max_kills
    )
    library = Library.of(read_local(state))
    with deaths.running():
        library.start({"operation": "presets", "prefix": f"{name}/"}, name=name, concurrency=2)
        ended = library.follow(name, lambda _: None)
    lines = _lines(cloud, facts["media_bucket"], name)
    wrong = [*_find_unaccounted(etags, lines), *_find_unrendered(cloud, facts["media_bucket"], name, etags)]
    if not ended.is_good:
        wrong.append(f"the job ended as {ended.execution.status}: {ended.execution.cause}")
    counts = Counter(line["outcome"] for line in lines)
    return Accounted(deaths.killed, counts, wrong)


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
