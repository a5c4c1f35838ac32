"""Compare bytes and CPU time of AV1 encoders at an equal score.

libvips' build of libheif has libaom alone, so SVT-AV1 comes from pillow-avif-plugin, in a process of its own. It
encodes a quarter of the colour (4:2:0) only. The photographs are those of :mod:`bench.photographs`, reduced to 800 px
without loss. Each encoder's quality is the one at which its image scores as Darkroom's first response does. Contenders
take turns at each photograph, and times are CPU times of all threads: bytes and scores do not depend on load, and the
ratios of times little.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from statistics import geometric_mean
from tempfile import TemporaryDirectory

import pyvips
from PIL import Image

from darkroom.imaging.formats.encode import EncodableImage, encode, encode_with
from darkroom.imaging.formats.image_format import EncoderOptions
from darkroom.imaging.formats.registry import OUTPUT_FORMATS

from ..build_cache import build_once
from ..emulator import install
from ..paths import WORK
from ..photographs.comparing import WIDTH_PX, interpolate_equal_bytes
from ..quality import decode_pixels, resize_reference
from ..ssimulacra2 import Original

LOCK = Path(__file__).with_name("requirements.txt")
WORKER = Path(__file__).with_name("svt_worker.py")
START = 57
"""The quality at which searches start: AVIF's own for ``q=80``."""

TUNES = {"psnr": "1", "iq": "3"}
"""SVT-AV1's tunings by its own numbers; IQ is that for still images."""


@dataclass(frozen=True, slots=True)
class Contender:
    """An encoder with its settings: ``aom`` are options of libvips' saver, else ``speed`` and ``tune`` SVT-AV1's."""

    name: str
    aom: EncoderOptions | None = None
    speed: int = 0
    tune: str = "iq"


_FULL_COLOUR: EncoderOptions = {"subsample_mode": "off"}
CONTENDERS = (
    Contender("libaom, effort 1, 4:4:4", {"effort": 1} | _FULL_COLOUR),
    Contender("libaom, effort 2, 4:4:4", {"effort": 2} | _FULL_COLOUR),
    Contender("libaom, effort 3, 4:4:4", {"effort": 3} | _FULL_COLOUR),
    Contender("libaom, effort 2, 4:2:0", {"effort": 2, "subsample_mode": "on"}),
    Contender("SVT-AV1, preset 8, iq", speed=8),
    Contender("SVT-AV1, preset 6, iq", speed=6),
    Contender("SVT-AV1, preset 4, iq", speed=4),
    Contender("SVT-AV1, preset 6, psnr", speed=6, tune="psnr"),
)

type Encode = Callable[[int], tuple[bytes, float]]
"""Returns an image of a quality and the CPU time in ms that it took."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A contender's bytes at the score of Darkroom's first response, and CPU time, as ratios to that, by photograph."""

    name: str
    bytes_ratios: Sequence[float]
    cpu_ratios: Sequence[float]
    cpu_ms: Sequence[float]

    @property
    def mean_bytes(self) -> float:
        """Geometric mean of the ratios of bytes."""
        return geometric_mean(self.bytes_ratios)

    @property
    def mean_cpu(self) -> float:
        """Geometric mean of the ratios of CPU time."""
        return geometric_mean(self.cpu_ratios)


def compare_encoders(files: Sequence[Path], progress: Callable[[str], None]) -> list[Measured]:
    """Compare all contenders over the photographs ``files``."""
    found: dict[str, list[tuple[float, float, float]]] = {contender.name: [] for contender in CONTENDERS}
    with _svt_process() as svt, TemporaryDirectory() as folder:
        for number, file in enumerate(files, start=1):
            progress(f"AV1 encoders: {number} of {len(files)} photographs")
            pixels = resize_reference(file, WIDTH_PX)
            png = Path(folder) / "source.png"
            Image.fromarray(pixels).save(png)
            image = pyvips.Image.new_from_file(str(png)).copy_memory()
            original = Original(pixels)
            ours, our_cpu_ms = _timed(partial(encode, EncodableImage(image, 1), OUTPUT_FORMATS["avif"], None))
            score = original.score(decode_pixels(ours))
            for contender in CONTENDERS:
                made = _encoder_of(contender, image, png, svt)
                size_bytes, cpu_ms = _measure(made, original, score)
                found[contender.name].append((size_bytes / len(ours), cpu_ms / our_cpu_ms, cpu_ms))
    return [Measured(name, *zip(*rows, strict=True)) for name, rows in found.items()]


def _measure(made: Encode, original: Original, score: float) -> tuple[int, float]:
    """Return interpolated bytes at ``score``, and the CPU time in ms of the image that scores next to it."""
    tried: dict[int, tuple[float, int, float]] = {}

    def image(quality: int) -> tuple[float, int]:
        body, cpu_ms = made(quality)
        tried[quality] = original.score(decode_pixels(body)), len(body), cpu_ms
        return tried[quality][:2]

    size_bytes = interpolate_equal_bytes(score, START, image)
    return size_bytes, min(tried.values(), key=lambda one: abs(one[0] - score))[2]


def _encoder_of(contender: Contender, image: pyvips.Image, png: Path, svt: subprocess.Popen[str]) -> Encode:
    options = contender.aom
    if options is not None:
        return cache(
            lambda quality: _timed(
                lambda: encode_with(EncodableImage(image, 1), OUTPUT_FORMATS["avif"], quality, options)
            )
        )

    def encode_by_svt(quality: int) -> tuple[bytes, float]:
        assert svt.stdin is not None
        assert svt.stdout is not None
        target = png.with_suffix(".avif")
        task = {"source": str(png), "target": str(target), "quality": quality}
        svt.stdin.write(json.dumps(task | {"speed": contender.speed, "tune": TUNES[contender.tune]}) + "\n")
        svt.stdin.flush()
        answer = svt.stdout.readline()
        if not answer:
            raise RuntimeError(f"SVT-AV1 ended with status {svt.wait()}")
        return target.read_bytes(), float(answer)

    return cache(encode_by_svt)


def _timed(make: Callable[[], bytes]) -> tuple[bytes, float]:
    started_s = time.process_time()
    body = make()
    return body, (time.process_time() - started_s) * 1000


@contextmanager
def _svt_process() -> Iterator[subprocess.Popen[str]]:
    """Run SVT-AV1's process. Its warnings about options without effect on stills are dropped."""
    folder = build_once(WORK / "svt", [LOCK], lambda folder: install(LOCK, folder))
    with subprocess.Popen(
        [sys.executable, WORKER],
        env={"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        yield process
