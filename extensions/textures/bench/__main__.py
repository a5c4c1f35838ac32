"""Measure sizes, times and scores of textures, and write the table of extensions/textures/docs/guide.md.

``python -m extensions.textures.bench``. Times are CPU time, so that they hardly depend on load.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

import numpy as np

from bench.build_cache import build_once
from bench.emulator import install
from bench.page import Markers, write_tables
from bench.paths import ROOT, WORK
from bench.tables import Table
from textures.encoder import Encoder
from textures.request import Codec, Space, TextureOptions

from .images import SIDE_PX, TextureImage, list_images
from .programs import HERE, decode, find_basisu, find_modules

PAGE = ROOT / "extensions" / "textures" / "docs" / "guide.md"
MARKERS = Markers(
    "<!-- measured by `python -m extensions.textures.bench`, do not edit -->", "<!-- end of what was measured -->"
)
DARKROOM = {"Darkroom, etc1s": Codec.ETC1S, "Darkroom, uastc": Codec.UASTC}
CURRENT = {"Basis Universal 2.5, ETC1S": "etc1s", "Basis Universal 2.5, UASTC": "uastc"}
LOCK = HERE / "requirements.txt"

type Figures = tuple[float, float, float]
"""Bytes that are transferred, CPU seconds, and the PSNR of the largest level in dB."""


def measure_darkroom(image: TextureImage, codec: Codec) -> Figures:
    """Encode by the textures function's encoder."""
    options = TextureOptions(codec, Space.LINEAR if image.linear else Space.SRGB)
    before_s = _read_children_s()
    texture = Encoder(find_basisu(), timeout_s=600).encode(image.png, options, SIDE_PX, SIDE_PX)
    return len(texture), _read_children_s() - before_s, _score(image, decode(texture)[0][0])


def measure_current(image: TextureImage, mode: str) -> Figures:
    """Encode by a current build of the reference encoder, compiled to WebAssembly."""
    node, folder = find_modules()
    with TemporaryDirectory() as scratch:
        target = Path(scratch, "texture.ktx2")
        words = [node, str(HERE / "encode.mjs"), str(folder), *map(str, image.image.size)]
        done = subprocess.run(
            [*words, f"{mode}-linear" if image.linear else mode, str(target)],
            input=image.pixels.tobytes(),
            capture_output=True,
            check=True,
        )
        texture = target.read_bytes()
    return len(texture), float(json.loads(done.stderr)), _score(image, decode(texture)[0][0])


def measure_gpu_formats(image: TextureImage) -> dict[str, Figures]:
    """Encode in formats that only some GPUs have; bytes are those after zlib."""
    folder = build_once(WORK / "textures-gpu", [LOCK], _install, sys.version)
    done = subprocess.run(
        [sys.executable, str(HERE / "gpu_formats.py")],
        input=image.png,
        capture_output=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(folder / "site"), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    return {name: (packed, cpu_s, psnr) for name, (_, packed, cpu_s, psnr) in json.loads(done.stdout).items()}


def _install(folder: Path) -> None:
    install(LOCK, folder / "site")


def _read_children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _score(image: TextureImage, decoded: np.ndarray) -> float:
    """Return the PSNR of the colours; those of transparent pixels do not count."""
    shown = image.pixels[..., 3] > 0
    difference = (image.pixels[..., :3].astype(float) - decoded[..., :3])[shown]
    return float(10 * np.log10(255**2 / max((difference**2).mean(), 1e-9)))


def tabulate(found: Mapping[str, Mapping[str, Figures]]) -> list[Table]:
    """Return the means by encoder, and the figures of each image. ``found``: by image and encoder."""
    encoders = list(next(iter(found.values())))
    megapixels = SIDE_PX**2 / 1e6
    means = [
        (
            name,
            f"{fmean(one[name][0] for one in found.values()) / SIDE_PX**2 * 8:.2f}",
            f"{fmean(one[name][1] for one in found.values()) / megapixels:.2f}",
            f"{fmean(one[name][2] for one in found.values()):.1f}",
            f"{min(one[name][2] for one in found.values()):.1f}",
        )
        for name in encoders
    ]
    images = [
        (image, *(f"{figures[0] / 1000:.1f} kB, {figures[2]:.1f} dB" for figures in one.values()))
        for image, one in found.items()
    ]
    headings = ("encoder", "bits per px, all levels", "CPU s per megapixel", "PSNR, mean", "PSNR, least")
    return [
        Table(f"Means of {len(found)} images", headings, means),
        Table(f"Size and PSNR of each image, {SIDE_PX} × {SIDE_PX} px", ("image", *encoders), images),
    ]


def measure(image: TextureImage) -> dict[str, Figures]:
    """Measure every encoder with ``image``."""
    return {
        **{name: measure_darkroom(image, codec) for name, codec in DARKROOM.items()},
        **{name: measure_current(image, mode) for name, mode in CURRENT.items()},
        **measure_gpu_formats(image),
    }


def main(names: Sequence[str] = ()) -> None:
    """Measure all images, print the tables and write the page; only print them for some images."""
    found: dict[str, dict[str, Figures]] = {}
    for image in list_images():
        if not names or image.name in names:
            found[f"{image.name} ({image.kind})"] = measure(image)
            print(image.name, found[f"{image.name} ({image.kind})"], file=sys.stderr, flush=True)
    tables = tabulate(found)
    for table in tables:
        print(table.text() + "\n")
    if not names:
        write_tables(PAGE, tables, MARKERS)


if __name__ == "__main__":
    main(sys.argv[1:])
