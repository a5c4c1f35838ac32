"""Lower bounds: the time of a request with only the unavoidable work."""

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
from .images import make_images
from .machine import Core
from .measure import build_event
from .mezzanines import find_read_file
from .runtime import Sandbox
from .worker import Worker

UNMEASURED = 2
REQUEST = "the floor is S3's first byte, decode, encode, and Lambda's runtime with a response of that size"
"""Parts of :meth:`LowerBound.request_ms`, for the page."""


@dataclass(frozen=True, slots=True)
class LowerBound:
    """Decode and encode alone of one case, medians in ms, and the transferred bytes.

    ``carried_ms`` is the time of Lambda's runtime to receive an event and to send a response of that size.
    """

    decode_ms: float
    encode_ms: float
    source_bytes: int
    image_bytes: int
    carried_ms: float = 0.0

    @property
    def render_ms(self) -> float:
        """Time without transfers."""
        return self.decode_ms + self.encode_ms

    def request_ms(self, latency_ms: float, megabytes_per_s: float) -> float:
        """Return the time with a link: first byte, decode during the transfer, encode, response."""
        transfer_ms = self.source_bytes / megabytes_per_s / 1000
        return latency_ms + max(transfer_ms, self.decode_ms) + self.encode_ms + self.carried_ms


@contextmanager
def start_worker(case: Case, image: Path, core: Core) -> Iterator[Worker]:
    """Start a process that decodes and encodes ``case`` on request, warmed up."""
    quality = case.quality or DEFAULT_QUALITY
    with Worker(darkroom_alone(image, case.width, case.form, quality), core) as worker:
        for _ in range(UNMEASURED):
            worker.stages_ms()
        yield worker


def find_source(case: Case) -> Path:
    """Return the file that the function reads for ``case``: a mezzanine, if the image has one."""
    files = make_images()
    return find_read_file(next(file for file in files if file.name == case.image), case.width, files)


def measure_lower_bound(case: Case, image: Path, core: Core, times: int) -> LowerBound:
    """Measure the medians of ``times`` renders of ``image``."""
    with start_worker(case, image, core) as worker:
        found = [worker.stages_ms() for _ in range(times)]
        [body] = worker.made().values()
    decode_ms, encode_ms = (median(stage) for stage in zip(*found, strict=True))
    carried_ms = measure_answer_ms(len(body), core, times)
    return LowerBound(decode_ms, encode_ms, image.stat().st_size, len(body), carried_ms)


def measure_answer_ms(image_bytes: int, core: Core, times: int) -> float:
    """Measure the median response time of a Python that only sends ``image_bytes`` bytes."""
    with Sandbox(install_emulator(), bare(image_bytes), core) as sandbox:
        found = [sandbox.invoke(build_event(WEBP_2MP, number)).ms for number in range(UNMEASURED + times)]
    return median(found[UNMEASURED:])


def measure_start_ms(core: Core, times: int) -> float:
    """Measure the median time to the first response of a Python that does nothing, over ``times`` processes after one
    more.
    """
    found = []
    for number in range(times + 1):
        with Sandbox(install_emulator(), bare(), core) as sandbox:
            found.append(sandbox.invoke(build_event(WEBP_2MP, number)).ms)
    return median(found[1:])
