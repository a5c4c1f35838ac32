"""Where a warm request's time goes: a flame graph of the real handler, and tables by stage and by module."""

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
from ..link.process import run_link
from ..machine import Core, separate_cores
from ..measure import Entry, read_stages
from ..paths import ROOT
from ..pictures import make_images
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
"""The colours of code, by how its file's name begins. What is waited for in other threads is S3."""


@dataclass(frozen=True, slots=True)
class Profile:
    """``invocations`` that were made while ``stacks`` of the main thread were taken."""

    stacks: Sequence[Stack]
    invocations: Sequence[Invocation]

    @property
    def ms_per_sample(self) -> float:
        """What a sample stands for, in ms of one request."""
        return 1000 / SAMPLES_PER_S / len(self.invocations)


def measure(rounds: Rounds, progress: Progress) -> Section:
    """Requests while py-spy looks on; a full run writes docs/images/flame.svg."""
    load = os.getloadavg()[0]
    progress("flame: warm requests under py-spy")
    try:
        with separate_cores() as core, run_link(make_images(), LATENCY_MS, MEGABYTES_PER_S) as endpoint_url:
            profile = profiled(endpoint_url, SECONDS[rounds], core)
    except MissingCompetitor as reason:
        return Section("", missing=[f"{reason}."])
    if rounds == "full":
        IMAGE.write_text(picture(profile), encoding="utf-8")
    return Section(for_page(profile, conditions(profile, load)))


def profiled(endpoint_url: str, seconds: int, core: Core) -> Profile:
    """One warm process, asked again and again; raises Missing."""
    entry, numbers = Entry(darkroom(endpoint_url)), count(1)
    invocations: list[Invocation] = []
    with Sandbox(install_emulator(), entry.contender, core) as sandbox:

        def ask() -> None:
            invocations.append(sandbox.invoke(entry.event(WEBP_12MP, next(numbers))))

        for _ in range(UNMEASURED):
            ask()
        invocations.clear()
        stacks = record(sandbox.pid, seconds, ask)
    return Profile(select_answering(stacks), invocations)


def picture(profile: Profile) -> str:
    """The flame graph."""
    tree = build_tree(profile.stacks, Key("one warm request", ""))
    title = f"{WEBP_12MP.title}, one warm request: {tree.count * profile.ms_per_sample:.0f} ms of its main thread"
    return draw(tree, title, profile.ms_per_sample, kind)


def kind(node: Node) -> str:
    """The colour's name."""
    return next((name for start, name in KINDS.items() if node.key.file.startswith(start)), "rest")


def for_page(profile: Profile, notes: Sequence[str]) -> str:
    """The picture and the tables."""
    stage = Table("By stage, as Server-Timing has it", ("", "ms", "share"), rows(by_stage(profile)))
    module = Table("By the innermost module of ours", ("", "ms", "share"), rows(by_module(profile))[:SHOWN])
    image = f"![A warm request's calls, as wide as they are long](images/{IMAGE.name})"
    return "\n\n".join([image, stage.markdown(), module.markdown(), "\n".join(f"- {note}" for note in notes)])


def by_stage(profile: Profile) -> dict[str, float]:
    """Medians in ms; what no stage has is parsing, telemetry, Base64 and JSON, and the runtime's own HTTP."""
    found = read_stages(profile.invocations)
    whole = median(invocation.ms for invocation in profile.invocations)
    return {**found, "all else": whole - sum(found.values())}


def by_module(profile: Profile) -> dict[str, float]:
    """Milliseconds by file, the longest first; what others' code takes counts for the file of ours that called it."""
    counts = count_innermost(profile.stacks, our_file)
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return {f"`{name}`": samples * profile.ms_per_sample for name, samples in ordered}


def our_file(frame: Frame) -> str | None:
    """The frame's file if it is ours, or the runtime's."""
    return frame.file if frame.file.startswith(OURS) else None


def rows(ms: Mapping[str, float]) -> list[tuple[str, str, str]]:
    """With the share of their sum."""
    whole = sum(ms.values())
    return [(name, f"{spent:.1f}", f"{spent / whole:.0%}") for name, spent in ms.items()]


def conditions(profile: Profile, load: float) -> list[str]:
    """What the numbers hold for."""
    samples = sum(stack.count for stack in profile.stacks)
    return [
        f"py-spy looked {SAMPLES_PER_S} times a second at the function's process: {samples:,} samples of its main "
        f"thread below `{RUNTIME_LOOP}`, over {len(profile.invocations)} requests. Waiting counts. What libvips does "
        "in threads of its own shows as the call that waits for it: its library has no symbols to name functions by.",
        f"{describe_machine()}; one core; S3 is {LATENCY_MS:.0f} ms from its first byte and {MEGABYTES_PER_S:.0f} MB/s "
        "fast. "
        f"Load average before: {load:.1f}.",
    ]
