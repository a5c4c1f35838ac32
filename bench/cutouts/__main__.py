"""Measure, print, and write the tables of docs/guides/cut-outs.md: ``python -m bench.cutouts``.

Composites are analysed by the endpoint's code and rendered by the handler's, at their own size. Figures do not depend
on load; an image takes some 4 s of a processor.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import fmean, median

import numpy as np
from PIL import Image

from cli.models.cutout_model import CUTOUT_TABLE, write_models
from cli.models.fetch_models import PLACES, fetch
from darkroom.findings import CUTOUT, Finding, Findings
from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import Plan
from darkroom_analysis.models.catalogue import load_catalogue
from endpoint.cutout import CutoutModel

from ..page import Markers, write_tables
from ..paths import ROOT
from ..tables import Table
from .accuracy import Accuracy, compare
from .foregrounds import Foreground, draw_studio, list_foregrounds, open_backgrounds

PAGE = ROOT / "docs" / "guides" / "cut-outs.md"
MARKERS = Markers("<!-- measured by `python -m bench.cutouts`, do not edit -->", "<!-- end of what was measured -->")
MODELS = ROOT / ".local" / "models"
CUTOUT_MODELS = ROOT / ".local" / "cutout-models"
IMAGES = ROOT / ".local" / "cutouts"
PAPERS = {"black": (0, 0, 0), "white": (255, 255, 255)}

STUDIO, PHOTOGRAPH = "light grey paper", "photographs"
HEADINGS = ("", "IoU", "coverage, error in %", "at edges, raster", "at edges, result", "fringe on black")


def main() -> None:
    """Measure everything."""
    fetch(PLACES["endpoint"], MODELS)
    write_models(MODELS, CUTOUT_MODELS)
    model = CutoutModel(list(load_catalogue(CUTOUT_TABLE).models.values()), CUTOUT_MODELS, 0)
    IMAGES.mkdir(parents=True, exist_ok=True)
    found: dict[str, dict[str, Accuracy]] = {STUDIO: {}, PHOTOGRAPH: {}}
    for foreground, below, background in list_composites():
        image = foreground.compose(background)
        finding = model.detect_batch([np.asarray(image)], [[CUTOUT]])[0][CUTOUT]
        result = cut_out(image, finding)
        found[below][foreground.name] = compare(foreground, finding.raster, result)
        save_sheet(IMAGES / f"{foreground.name.replace(': ', '-')}, {below}.png", image, result)
        print(below, foreground.name, found[below][foreground.name], file=sys.stderr)
    tables = [tabulate(below, accuracies) for below, accuracies in found.items()]
    for table in tables:
        print(table.text() + "\n")
    write_tables(PAGE, tables, MARKERS)


def list_composites() -> Iterator[tuple[Foreground, str, Image.Image]]:
    """Yield each foreground with both kinds of backgrounds; the photographs take turns."""
    studio, photographs = draw_studio(), list(open_backgrounds())
    for number, foreground in enumerate(list_foregrounds()):
        yield foreground, STUDIO, studio
        yield foreground, PHOTOGRAPH, photographs[number % len(photographs)]


def cut_out(image: Image.Image, finding: Finding) -> bytes:
    """Render ``image`` with ``cutout=1`` as a PNG of its own size."""
    encoded = io.BytesIO()
    image.save(encoded, "PNG", compress_level=1)
    findings = Findings("1", "etag", {CUTOUT: finding})
    source = Source.from_bytes(encoded.getvalue())
    return render(Plan("", cutout=True, format="png"), source, limits=Limits(), findings=findings).body


def save_sheet(path: Path, image: Image.Image, result: bytes) -> None:
    """Save ``image`` beside its cut-out on black and on white."""
    sheet = Image.new("RGB", (image.width * 3, image.height))
    sheet.paste(image, (0, 0))
    with Image.open(io.BytesIO(result)) as opened:
        shown = opened.convert("RGBA")
    for column, colour in enumerate(PAPERS.values(), start=1):
        paper = Image.new("RGBA", shown.size, colour)
        sheet.paste(Image.alpha_composite(paper, shown).convert("RGB"), (column * image.width, 0))
    sheet.save(path)


def tabulate(below: str, accuracies: Mapping[str, Accuracy]) -> Table:
    """Format a row for each foreground, their median and their mean."""
    rows = [[name, *_cells(accuracy)] for name, accuracy in accuracies.items()]
    for name, summarise in (("median", median), ("mean", fmean)):
        values = {field: [getattr(one, field) for one in accuracies.values()] for field in Accuracy.__slots__}
        rows.append([f"**{name}**", *_cells(Accuracy(**{field: summarise(each) for field, each in values.items()}))])
    return Table(f"Foregrounds over {below}", HEADINGS, rows)


def _cells(accuracy: Accuracy) -> Iterator[str]:
    yield f"{accuracy.iou:.3f}"
    for share in (accuracy.error, accuracy.raster_edge, accuracy.edge):
        yield f"{100 * share:.1f}"
    yield f"{100 * accuracy.fringe:+.1f}".replace("-0.0", "+0.0")


if __name__ == "__main__":
    main()
