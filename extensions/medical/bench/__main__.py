"""Compare grey levels with pydicom's and DCMTK's: ``python -m extensions.medical.bench``.

Each file is ingested as by the function, and its first frame is rendered with a window. pydicom applies the modality
LUT and the same window in floating point; DCMTK's ``dcm2img`` writes a PNG. Writes a table of the
guide.
"""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.page import Markers, write_tables
from bench.tables import Table
from darkroom.imaging.source import Source
from local.paths import ROOT
from medical.appearance import PNG, Appearance
from medical.ingest import build_instance
from medical.instance import Instance
from medical.master import write_master
from medical.process import decode_upload
from medical.render import render
from medical.voi import LookupTable, Voi
from medical.window import SIGMOID, Window

from .files import install_layer, list_files

PAGE = ROOT / "extensions" / "medical" / "docs" / "guide.md"
MARKERS = Markers(
    "<!-- measured by `python -m extensions.medical.bench`, do not edit -->", "<!-- end of what was measured -->"
)
DCMTK = shutil.which("dcm2img")
STARTS = 7

type Levels = NDArray[np.float64]


class Difference(NamedTuple):
    """Differences of grey levels from 0 to 255. ``share`` is that of pixels that differ by more than one level."""

    mean: float
    most: float
    share: float

    @classmethod
    def of(cls, shown: NDArray[Any], reference: Levels) -> Difference:
        """Compare pixels."""
        found = np.abs(shown.astype(np.float64) - reference)
        return cls(float(found.mean()), float(found.max()), float((found > 1).mean()))

    def text(self) -> str:
        """Return mean and greatest difference, and the share above one level if there is any."""
        share = f", {100 * self.share:.2f} % above 1" if self.share else ""
        return f"{self.mean:.3f}, {self.most:.2f}{share}"


def ingest(path: Path, folder: Path) -> tuple[Instance, Source]:
    """Return an instance and its master, as the function makes them."""
    found = decode_upload(path, folder)
    instance = build_instance(found, "a key of measurements")
    size = {"width": instance.width, "height": instance.height, "count": instance.pages}
    levels = write_master(folder / "pages.raw", folder / "master.tif", **size, colour=instance.colour)
    return replace(instance, levels=levels), Source.from_bytes((folder / "master.tif").read_bytes())


def choose_voi(instance: Instance) -> Voi:
    """Return the first preset of the file, or a window over all values."""
    if instance.presets[0]:
        return instance.presets[0][0]
    return Window((instance.low + instance.high) / 2, max(2.0, instance.high - instance.low))


def draw(instance: Instance, source: Source, voi: Voi) -> NDArray[np.uint8]:
    """Return the pixels of the first page, as they are served."""
    body = render(instance, 1, Appearance(media_type=PNG, voi=voi), source)
    return np.asarray(Image.open(io.BytesIO(body)))


def draw_by_pydicom(path: Path, voi: Voi) -> Levels:
    """Return grey levels by pydicom, without rounding."""
    from pydicom import dcmread
    from pydicom.pixels import apply_modality_lut, apply_voi, apply_windowing, pixel_array

    dataset = dcmread(path)
    if "SharedFunctionalGroupsSequence" in dataset:  # which pydicom's functions do not read
        for group in dataset.SharedFunctionalGroupsSequence[0].get("PixelValueTransformationSequence") or ():
            dataset.RescaleSlope, dataset.RescaleIntercept = group.RescaleSlope, group.RescaleIntercept
    values = apply_modality_lut(pixel_array(dataset, index=0), dataset)
    if isinstance(voi, LookupTable):
        return np.asarray(apply_voi(values.astype(np.int64), dataset) * 255.0 / ((1 << voi.bits) - 1))
    assert isinstance(voi, Window), voi
    dataset.WindowCenter, dataset.WindowWidth, dataset.VOILUTFunction = voi.center, voi.width, voi.function
    levels = apply_windowing(values, dataset)
    low, high = apply_windowing(np.array([-1e9, 1e9]), dataset)
    return np.asarray(255 * (levels - low) / (high - low))


def draw_by_dcmtk(path: Path, voi: Voi) -> NDArray[np.uint8] | None:
    """Return grey levels by DCMTK; None without DCMTK, or if it cannot read the file."""
    if DCMTK is None:
        return None
    window = ["+Wl", "1"] if isinstance(voi, LookupTable) else []
    if isinstance(voi, Window):
        window = ["+Wfs" if voi.function == SIGMOID else "+Wfl", "+Ww", str(voi.center), str(voi.width)]
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "image.png"
        command = [DCMTK, "--quiet", "-O", *window, "+on", str(path), str(target)]
        if subprocess.run(command, check=False, capture_output=True).returncode or not target.exists():
            return None
        return np.asarray(Image.open(target).convert("L"))


def compare(path: Path) -> tuple[str, ...]:
    """Return a row of the table."""
    with tempfile.TemporaryDirectory() as scratch:
        instance, source = ingest(path, Path(scratch))
        voi = choose_voi(instance)
        shown = draw(instance, source, voi)
        levels = draw_by_pydicom(path, voi)
        cells = [Difference.of(shown, 255 - levels if instance.inverted else levels).text()]
        for one in (voi, sigmoid(voi)):
            reference = draw_by_dcmtk(path, one) if one else None
            if one is None or reference is None:
                cells.append("–")
                continue
            cells.append(Difference.of(draw(instance, source, one), reference.astype(np.float64)).text())
    described = f"{voi.center:g}, {voi.width:g}" if isinstance(voi, Window) else "LUT of the file"
    return (path.name, f"{instance.width} × {instance.height}", describe_syntax(path), described, *cells)


def sigmoid(voi: Voi) -> Window | None:
    """Return the same window with the function SIGMOID; None for a LUT."""
    return replace(voi, function=SIGMOID) if isinstance(voi, Window) else None


def describe_syntax(path: Path) -> str:
    """Return the name of the transfer syntax, shortened."""
    from pydicom import dcmread

    name = str(dcmread(path, stop_before_pixels=True).file_meta.TransferSyntaxUID.name)
    for word in ("Explicit VR", "Image Compression"):
        name = name.replace(word, "")
    return " ".join(name.partition("(")[0].partition(",")[0].split())


START = """
import os, sys, time
sys.path.insert(0, "extensions/medical/functions/medical")
import app
print(time.process_time())
"""


def measure_starts() -> Table:
    """Return the CPU time of starts: of both functions, and of the process that decodes."""
    install_layer()
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        **dict.fromkeys(("MEDIA_BUCKET", "UPLOADS_BUCKET", "SIGNING_KEYS_ARN", "UID_KEY_ARN", "STACK_NAME"), "name"),
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # a layer has bytecode
    codes = {
        "DICOMweb function": START,
        "ingest functions": START.replace("/medical", "/medical_ingest"),
        "process that decodes": "import time, sys, pydicom.pixels, medical.pixels, numpy; print(time.process_time())",
    }
    rows = []
    for name, code in codes.items():
        run_start(code, environment)  # compiles
        spent = [run_start(code, environment) for _ in range(STARTS)]
        rows.append((name, f"{1000 * median(spent):.0f}", f"{1000 * min(spent):.0f}"))
    return Table("CPU time of starts, ms", ("process", "median", "least"), rows)


def run_start(code: str, environment: Mapping[str, str]) -> float:
    """Return the CPU seconds that ``code`` prints."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=dict(environment), cwd=ROOT, check=True, capture_output=True, text=True)
    return float(done.stdout)


def main(names: Sequence[str] = ()) -> None:
    """Compare all files, print the tables and write the page; only print them for some files."""
    rows = []
    for path in list_files():
        if not names or path.name in names:
            rows.append(compare(path))
            print(*rows[-1], sep="  ", file=sys.stderr, flush=True)
    headings = ("file", "px", "transfer syntax", "window", "pydicom", "DCMTK", "DCMTK, SIGMOID")
    tables = [Table(f"Grey levels of {len(rows)} files: mean and greatest difference", headings, rows)]
    if not names:
        tables.append(measure_starts())
    for table in tables:
        print(table.text() + "\n")
    if not names:
        write_tables(PAGE, tables, MARKERS)


if __name__ == "__main__":
    main(sys.argv[1:])
