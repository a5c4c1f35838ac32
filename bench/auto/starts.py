"""Learn the start values of ``q=auto`` from images.

For each image and lossy format, an exhaustive search finds the quality with the target's score. The start of a format,
size and content class is the median of those; the first step is scaled by the median gain of a step near it. A linear
model of 22 measures (gradients of three planes at four scales, their spread, brightness, colour, size) was not better:
its median error is 3.5 to 4.2 steps, that of these medians is 3.5.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from statistics import fmean, median

import numpy as np
import pyvips

from darkroom.imaging.formats.encode import EncodableImage, choose_search_options, encode, encode_with
from darkroom.imaging.formats.image_format import ANY_SIZE, BUSY, FLAT, SMOOTH, OutputFormat, Start
from darkroom.imaging.formats.registry import OUTPUT_FORMATS, SOURCE_FORMATS
from darkroom.imaging.quality.auto_quality import TARGET_SCORE, classify_content
from darkroom.imaging.quality.ssimulacra2 import Comparator

from ..corpus.views import View, list_views
from ..paths import ROOT

LOSSY = ("webp", "jpeg", "avif")
SIZES = (300_000, ANY_SIZE)
"""Size limits in pixels."""
LEAST_OF_A_CLASS = 5
"""Smallest class. A smaller one uses the median of its content in all sizes, or of its format."""

_LINES = re.compile(r"(    starts=\{[^\n]*\n).*?(    \},\n)", re.DOTALL)


def learn_tables(names: Sequence[str] = LOSSY) -> None:
    """Learn the formats ``names`` from all images, and write their tables."""
    found: dict[tuple[str, str, int], list[Start]] = defaultdict(list)
    fixed = []
    for number, view in enumerate(list_views("learned")):
        image = render_image(view)
        comparator, content = Comparator(image), classify_content(image)
        size = next(at for at, limit in enumerate(SIZES) if image.width * image.height <= limit)
        fixed.append(comparator.score(encode(EncodableImage(image, 1), OUTPUT_FORMATS["webp"], None)))
        for name in names:
            found[name, content, size].append(_met(_scores(image, OUTPUT_FORMATS[name], comparator, content)))
        print(f"{number + 1} {view.name}: {fixed[-1]:.1f} by WebP's quality 80")
    for name in names:
        lines = "".join(_table(found, name))
        package = ROOT / "layers" / "darkroom" / "darkroom" / "imaging" / "formats" / SOURCE_FORMATS[name].package
        path = package / "__init__.py"
        path.write_text(write_starts(path.read_text("utf-8"), lines), encoding="utf-8")
    print(f"WebP of quality 80 has {fmean(fixed):.2f} on average; the target is {TARGET_SCORE}")


def render_image(view: View) -> pyvips.Image:
    """Return an image as the renderer passes it to the encoder."""
    return pyvips.Image.new_from_array(np.ascontiguousarray(view.pixels)).copy(interpretation="srgb").copy_memory()


def _scores(image: pyvips.Image, form: OutputFormat, comparator: Comparator, content: str) -> Callable[[int], float]:
    knobs = choose_search_options(form.name, image.width * image.height, "fast", drawing=content == FLAT)
    return lambda quality: comparator.score(encode_with(EncodableImage(image, 1), form, quality, knobs))


def _met(score: Callable[[int], float]) -> Start:
    """Find the quality with the target's score by bisection, and the slope near it."""
    low, high = (20, score(20)), (96, score(96))
    while high[0] - low[0] > 5:
        middle = (low[0] + high[0]) // 2
        middle_score = (middle, score(middle))
        low, high = (middle_score, high) if middle_score[1] < TARGET_SCORE else (low, middle_score)
    slope = max(0.05, (high[1] - low[1]) / (high[0] - low[0]))
    return Start(max(1, min(100, round(low[0] + (TARGET_SCORE - low[1]) / slope))), slope)


def write_starts(source: str, lines: str) -> str:
    """Return the source of a format's package with ``lines`` as its table."""
    return _LINES.sub(lambda marks: marks[1] + lines + marks[2], source)


def _table(found: dict[tuple[str, str, int], list[Start]], name: str) -> Iterator[str]:
    for content in (FLAT, SMOOTH, BUSY):
        of_content = [one for at in range(len(SIZES)) for one in found[name, content, at]]
        rows = []
        for at, limit in enumerate(SIZES):
            own = found[name, content, at]
            learned = own if len(own) >= LEAST_OF_A_CLASS else of_content
            start = Start(round(median(one.quality for one in learned)), round(median(o.slope for o in learned), 2))
            rows.append((limit, start))
        yield start_line(content, rows)


def start_line(content: str, rows: Sequence[tuple[int, Start]]) -> str:
    """Return the line of one class of content, as formatted in the source."""
    parts = [
        f"({'ANY_SIZE' if limit == ANY_SIZE else f'{limit:_}'}, Start({one.quality}, {one.slope}))"
        for limit, one in rows
    ]
    return f'        "{content}": ({", ".join(parts)}),\n'
