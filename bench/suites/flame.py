"""Profile a warm request: a flame graph of the handler, and tables by stage and by module."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from statistics import median

from ..cases import WEBP_12MP
from ..competitors.darkroom import darkroom
from ..competitors.model import MissingCompetitor
from ..emulator import install_emulator
from ..environment import LATENCY_MS, MEGABYTES_PER_S, describe_machine
from ..flame.drawing import draw
from ..flame.recording import SAMPLES_PER_S, record
from ..flame.stacks import RUNTIME_LOOP, Frame, Stack, count_innermost, select_answering
from ..flame.tree import Key, Node, build_tree
from ..goals import Rounds, Section
from ..images import make_images
from ..link.process import run_link
from ..machine import Core, separate_cores
from ..measure import Entry, read_stages
from ..mezzanines.files import write_mezzanines
from ..paths import ROOT
from ..runtime import Invocation, Sandbox
from ..tables import Table
from . import Progress

IMAGE = ROOT / "docs" / "images" / "flame.svg"
SECONDS = {"full": 20, "quick": 4}
UNMEASURED = 5
SHOWN = 10
OURS = ("darkroom/", "app.py", "awslambdaric/")
KINDS = {
    "darkroom/imaging/": "imaging",
    "pyvips/": "imaging",
    "darkroom/aws/s3_fast.py": "S3",
    "darkroom/services/serve/rendering.py": "S3",
    "threading.py": "S3",
    "awslambdaric/": "runtime",
    "simplejson/": "runtime",
}
"""Colours of code by prefix of its file. Waiting for other threads is S3."""


@dataclass(frozen=True, slots=True)
class Profile:
    """``invocations`` made while ``stacks`` of the main thread were sampled."""

    stacks: Sequence[Stack]
    invocations: Sequence[Invocation]

    @property
    def ms_per_sample(self) -> float:
        """Milliseconds of one request that a sample represents."""
        return 1000 / SAMPLES_PER_S / len(self.invocations)


def measure(rounds: Rounds, progress: Progress) -> Section:
    """Profile requests with py-spy; a full run writes docs/images/flame.svg."""
    load = os.getloadavg()[0]
    progress("flame: warm requests under py-spy")
    try:
        files = make_images()
        with (
            separate_cores() as core,
            run_link(files, LATENCY_MS, MEGABYTES_PER_S, write_mezzanines(files)) as endpoint_url,
        ):
            profile = profiled(endpoint_url, SECONDS[rounds], core)
    except MissingCompetitor as reason:
        return Section("", missing=[f"{reason}."])
    if rounds == "full":
        IMAGE.write_text(image(profile), encoding="utf-8")
    return Section(format_page(profile, conditions(profile, load)))


def profiled(endpoint_url: str, seconds: int, core: Core) -> Profile:
    """Profile one warm process. Raises MissingCompetitor."""
    entry, numbers = Entry(darkroom(endpoint_url)), count(1)
    invocations: list[Invocation] = []
    with Sandbox(install_emulator(), entry.competitor, core) as sandbox:

        def request() -> None:
            invocations.append(sandbox.invoke(entry.event(WEBP_12MP, next(numbers))))

        for _ in range(UNMEASURED):
            request()
        invocations.clear()
        stacks = record(sandbox.pid, seconds, request)
    return Profile(select_answering(stacks), invocations)


def image(profile: Profile) -> str:
    """Draw the flame graph."""
    tree = build_tree(profile.stacks, Key("one warm request", ""))
    title = f"{WEBP_12MP.title}, one warm request: {tree.count * profile.ms_per_sample:.0f} ms of its main thread"
    return draw(tree, title, profile.ms_per_sample, kind)


def kind(node: Node) -> str:
    """Return the colour's name."""
    return next((name for start, name in KINDS.items() if node.key.file.startswith(start)), "rest")


def format_page(profile: Profile, notes: Sequence[str]) -> str:
    """Format the image and the tables."""
    stage = Table("By stage of Server-Timing", ("", "ms", "share"), rows(by_stage(profile)))
    module = Table("By innermost module of this repository", ("", "ms", "share"), rows(by_module(profile))[:SHOWN])
    image = f"![Flame graph of a warm request](../images/{IMAGE.name})"
    return "\n\n".join([image, stage.markdown(), module.markdown(), "\n".join(f"- {note}" for note in notes)])


def by_stage(profile: Profile) -> dict[str, float]:
    """Return medians in ms; the rest is parsing, telemetry, Base64, JSON, and the runtime's HTTP."""
    found = read_stages(profile.invocations)
    whole = median(invocation.ms for invocation in profile.invocations)
    return {**found, "rest": whole - sum(found.values())}


def by_module(profile: Profile) -> dict[str, float]:
    """Return milliseconds by file, longest first; other code counts for the file of this repository that called it."""
    counts = count_innermost(profile.stacks, our_file)
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return {f"`{name}`": samples * profile.ms_per_sample for name, samples in ordered}


def our_file(frame: Frame) -> str | None:
    """Return the frame's file if it is of this repository or the runtime."""
    return frame.file if frame.file.startswith(OURS) else None


def rows(ms: Mapping[str, float]) -> list[tuple[str, str, str]]:
    """Return rows with the share of the sum."""
    whole = sum(ms.values())
    return [(name, f"{spent:.1f}", f"{spent / whole:.0%}") for name, spent in ms.items()]


def conditions(profile: Profile, load: float) -> list[str]:
    """Describe the conditions."""
    samples = sum(stack.count for stack in profile.stacks)
    return [
        f"py-spy sampled the function's process {SAMPLES_PER_S} times a second: {samples:,} samples of its main "
        f"thread below `{RUNTIME_LOOP}`, over {len(profile.invocations)} requests. Waiting is included. Work of "
        "libvips in its threads appears as the call that waits for it: the library has no symbols for function names.",
        f"{describe_machine()}; one core; S3 is {LATENCY_MS:.0f} ms to the first byte and {MEGABYTES_PER_S:.0f} MB/s "
        "fast. "
        f"Load average before: {load:.1f}.",
    ]
