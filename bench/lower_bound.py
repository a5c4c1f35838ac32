"""The floors: what a request takes if nothing is done but what physics asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from .cases import WEBP_2MP, Case
from .competitors.bare import bare
from .competitors.darkroom import darkroom_alone
from .competitors.model import DEFAULT_QUALITY
from .emulator import install_emulator
from .machine import Core
from .measure import build_event
from .runtime import Sandbox
from .worker import Worker

UNMEASURED = 2
REQUEST = "the floor is S3's first byte, decode, encode, and Lambda's runtime with an answer of that size"
"""What :meth:`Floor.request_ms` is made of, for the page."""


@dataclass(frozen=True, slots=True)
class LowerBound:
    """Decode and encode alone of one case, medians in ms, and the bytes that have to come and go.

    ``carried_ms`` is what Lambda's runtime takes to bring an event and to carry an answer of that size away.
    """

    decode_ms: float
    encode_ms: float
    source_bytes: int
    picture_bytes: int
    carried_ms: float = 0.0

    @property
    def render_ms(self) -> float:
        """Without any line."""
        return self.decode_ms + self.encode_ms

    def request_ms(self, latency_ms: float, megabytes_per_s: float) -> float:
        """On a line: the first byte, decoding while the rest comes, encoding, answering."""
        transfer_ms = self.source_bytes / megabytes_per_s / 1000
        return latency_ms + max(transfer_ms, self.decode_ms) + self.encode_ms + self.carried_ms

    def stored_ms(self, latency_ms: float, megabytes_per_s: float) -> float:
        """The same and one PUT before the answer."""
        put_ms = latency_ms + self.picture_bytes / megabytes_per_s / 1000
        return self.request_ms(latency_ms, megabytes_per_s) + put_ms


@contextmanager
def start_worker(case: Case, picture: Path, core: Core) -> Iterator[Worker]:
    """A process that decodes and encodes ``case`` each time that it is asked, and has done so before."""
    quality = case.quality or DEFAULT_QUALITY
    with Worker(darkroom_alone(picture, case.width, case.form, quality), core) as worker:
        for _ in range(UNMEASURED):
            worker.stages_ms()
        yield worker


def measure_lower_bound(case: Case, picture: Path, core: Core, times: int) -> LowerBound:
    """The medians of ``times`` renders."""
    with start_worker(case, picture, core) as worker:
        found = [worker.stages_ms() for _ in range(times)]
        [body] = worker.made().values()
    decode_ms, encode_ms = (median(stage) for stage in zip(*found, strict=True))
    carried_ms = measure_answer_ms(len(body), core, times)
    return LowerBound(decode_ms, encode_ms, picture.stat().st_size, len(body), carried_ms)


def measure_answer_ms(picture_bytes: int, core: Core, times: int) -> float:
    """The median time of a Python that answers with so many bytes and does nothing else."""
    with Sandbox(install_emulator(), bare(picture_bytes), core) as sandbox:
        found = [sandbox.invoke(build_event(WEBP_2MP, number)).ms for number in range(UNMEASURED + times)]
    return median(found[UNMEASURED:])


def measure_start_ms(core: Core, times: int) -> float:
    """The median time to the first answer of a Python that does nothing, ``times`` processes and one before them."""
    found = []
    for number in range(times + 1):
        with Sandbox(install_emulator(), bare(), core) as sandbox:
            found.append(sandbox.invoke(build_event(WEBP_2MP, number)).ms)
    return median(found[1:])
