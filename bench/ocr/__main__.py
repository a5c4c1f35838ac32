"""Measure, print, and write the tables of docs/guides/text.md: ``python -m bench.ocr``.

Draws documents, degrades them, and reads them in the endpoint's environment, with and without preparation.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from cli.models.fetch_models import PLACES, fetch
from darkroom.findings import TEXT, TextLine, finding_from_document
from local import tool_venvs
from local.progress import Progress

from ..page import Markers, write_tables
from ..paths import ROOT
from ..tables import Table
from . import EVENED, LEVELLED, PLAIN, PREPARED
from .degradations import DEGRADATIONS, PHOTOGRAPHED
from .documents import Form, Page, draw_columns, draw_form, draw_table

PAGE = ROOT / "docs" / "guides" / "text.md"
MARKERS = Markers("<!-- measured by `python -m bench.ocr`, do not edit -->", "<!-- end of what was measured -->")
MODELS = ROOT / ".local" / "models"

FORMS = 10
"""Forms with personal data, for each degradation."""

VALUES_FROM = 0.3
"""The left edge of values in a form, as a fraction of its width; names are before."""

LAYOUTS: Mapping[str, Page] = {
    "one column": draw_columns(1, heading=False),
    "two columns": draw_columns(2, heading=False),
    "two columns below a heading": draw_columns(2, heading=True),
    "three columns below a heading": draw_columns(3, heading=True),
    "a table of names and values": draw_table(),
}


class Reading(NamedTuple):
    """What a reader found in an image, and its seconds."""

    lines: tuple[TextLine, ...]
    seconds: float

    @property
    def words(self) -> list[str]:
        """The words in their order."""
        return " ".join(line.text for line in self.lines).split()


def main() -> None:
    """Measure everything."""
    fetch(PLACES["endpoint"], MODELS)
    asyncio.run(tool_venvs.ensure_one(tool_venvs.ENDPOINT, Progress()))
    page = draw_columns(1, heading=False)
    forms = [draw_form(seed) for seed in range(FORMS)]
    with TemporaryDirectory() as folder:
        for number, degrade in enumerate(DEGRADATIONS.values()):
            degrade(page.image).save(Path(folder) / f"page-{number}.png")
        for number, layout in enumerate(LAYOUTS.values()):
            layout.image.save(Path(folder) / f"layout-{number}.png")
        for name in PHOTOGRAPHED:
            for number, form in enumerate(forms):
                DEGRADATIONS[name](form.image).save(Path(folder) / f"form-{PHOTOGRAPHED.index(name)}-{number}.png")
        found = dict(read_images(Path(folder)))
    tables = [tabulate_accuracy(page, found), tabulate_order(found), tabulate_personal_data(forms, found)]
    for each in tables:
        print(each.text() + "\n")
    write_tables(PAGE, tables, MARKERS)


def read_images(folder: Path) -> Iterator[tuple[tuple[str, str], Reading]]:
    """Yield image and reader, and what was read."""
    command = [str(tool_venvs.python_path(tool_venvs.ENDPOINT)), "-m", "bench.ocr.read", str(MODELS), str(folder)]
    variables = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'layers' / 'darkroom'}:{ROOT / 'layers' / 'analysis'}"}
    with subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            result = json.loads(line)
            lines = finding_from_document(TEXT, result["finding"]).lines
            print(f"{result['image']}, {result['reader']}", file=sys.stderr)
            yield (result["image"], result["reader"]), Reading(lines, result["s"])
    if process.returncode:
        raise RuntimeError(f"bench.ocr.read ended with {process.returncode}")


def in_order(expected: Sequence[str], words: Sequence[str]) -> float:
    """Return the share of ``expected`` that was read, and in its order."""
    blocks = SequenceMatcher(None, list(expected), list(words), autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) / len(expected)


def in_any_order(expected: Sequence[str], words: Sequence[str]) -> float:
    """Return the share of ``expected`` that was read."""
    return (Counter(expected) & Counter(words)).total() / len(expected)


def tabulate_accuracy(page: Page, found: Mapping[tuple[str, str], Reading]) -> Table:
    """Tabulate the words of a degraded page that were read: as it is, with each preparation always, and as decided."""
    rows = []
    for number, name in enumerate(DEGRADATIONS):
        readings = {reader: found[f"page-{number}", reader] for reader in (PLAIN, EVENED, LEVELLED, PREPARED)}
        shares = [in_any_order(page.words, reading.words) for reading in readings.values()]
        factor = readings[PREPARED].seconds / readings[PLAIN].seconds
        rows.append([name, *(f"{share:.1%}" for share in shares), f"{factor:.1f}"])
    title = f"Words read of a page of {len(page.words)} words"
    headings = ["degradation", "read once, as it is", "light always evened", "always levelled", "as decided", "time ×"]
    return Table(title, headings, rows)


def tabulate_order(found: Mapping[tuple[str, str], Reading]) -> Table:
    """Tabulate how many words are in reading order, by rows alone and by columns."""
    rows = []
    for number, (name, page) in enumerate(LAYOUTS.items()):
        reading = found[f"layout-{number}", PREPARED]
        by_rows = sorted(reading.lines, key=lambda line: (round(line.region.top * 100), line.region.left))
        shares = (
            in_any_order(page.words, reading.words),
            in_order(page.words, " ".join(line.text for line in by_rows).split()),
            in_order(page.words, reading.words),
        )
        rows.append([name, *(f"{share:.1%}" for share in shares)])
    return Table("Words in their order", ["page", "read", "in order, by rows", "in order"], rows)


def tabulate_personal_data(forms: Sequence[Form], found: Mapping[tuple[str, str], Reading]) -> Table:
    """Tabulate the values whose class is found, that are covered, and other values that are covered as well."""
    rows = []
    for place, name in enumerate(PHOTOGRAPHED):
        counts: Counter[tuple[str, str]] = Counter()
        for number, form in enumerate(forms):
            count_entries(form, found[f"form-{place}-{number}", PREPARED].lines, counts, upright=name != "photograph")
        cells = []
        for kind in ("card", "iban", "mail", "phone", "plate"):
            total = counts[kind, "all"]
            cells.append(f"{counts[kind, 'found'] / total:.0%} / {counts[kind, 'covered'] / total:.0%}")
        rows.append([name, *cells, f"{counts['', 'covered'] / counts['', 'all']:.0%}"])
    headings = ["document", "card", "iban", "mail", "phone", "plate", "other values covered"]
    return Table(f"Personal data in {len(forms)} forms: class found / line covered", headings, rows)


def count_entries(form: Form, lines: Sequence[TextLine], counts: Counter[tuple[str, str]], *, upright: bool) -> None:
    """Count for each entry whether it was found and covered: by its line in an upright form, else by its text."""
    for entry, middle in zip(form.entries, form.middles, strict=True):
        if upright:
            row = [line for line in lines if line.region.top <= middle <= line.region.top + line.region.height]
            mine = [line for line in row if line.region.left > VALUES_FROM] or row
        else:
            mine = [max(lines, key=lambda line: SequenceMatcher(None, line.text, entry.value).ratio())]
        counts[entry.personal, "all"] += 1
        counts[entry.personal, "found"] += any(entry.personal in (line.personal or ()) for line in mine)
        counts[entry.personal, "covered"] += any(line.personal != () for line in mine)


if __name__ == "__main__":
    main()
