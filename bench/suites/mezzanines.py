"""Mezzanines: their bytes, their decoding time, and the scores of images rendered from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean, median

from ..corpus.packages import PackageUnavailable
from ..goals import Figure, Rounds, Section
from ..mezzanines.comparing import Compared, Stored, compare, list_files
from ..mezzanines.decoding import Decoded, measure_decoding
from ..tables import Table
from . import Progress

MEAN_DROP, WORST_DROP = 0.5, 1.5
"""Points of SSIMULACRA2 that an image from a mezzanine may score lower than one from the master."""

EVERY = {"full": 1, "quick": 6}
"""Every n-th photograph is measured."""


def measure(rounds: Rounds, progress: Progress) -> Section:
    """Compare all photographs, then measure decoding."""
    try:
        files = list_files()[:: EVERY[rounds]]
    except PackageUnavailable as reason:
        return Section("", missing=[f"Mezzanines: {reason}."])
    results = [compare(file, progress) for file in files]
    stored, compared = [one for one, _ in results], [image for _, images in results for image in images]
    decoded = measure_decoding(5 if rounds == "quick" else 21, progress)
    return Section(text(stored, compared, decoded), figures(compared))


def figures(compared: Sequence[Compared]) -> list[Figure]:
    """Return the mean and the largest drop of the score."""
    drops = [-one.difference for one in compared]
    worst = max(compared, key=lambda one: -one.difference)
    where = f"{worst.photograph.replace('_', ' ')}, {worst.variant}"
    return [
        Figure("mezzanine-mean", fmean(drops), min(drops), max(drops)),
        Figure("mezzanine-worst", max(drops), min(drops), max(drops), why=where),
    ]


def text(stored: Sequence[Stored], compared: Sequence[Compared], decoded: Sequence[Decoded]) -> str:
    """Format the tables and their explanation."""
    return "\n\n".join(
        [
            tabulate_bytes(stored).markdown(),
            tabulate_scores(compared).markdown(),
            tabulate_decoding(decoded).markdown(),
            f"Difference: SSIMULACRA2 from the mezzanine less that from the master, both against one lossless resize; "
            f"at least −{MEAN_DROP} in the mean and −{WORST_DROP} at worst. Bytes: those of the rendered images. "
            "Variants that need the master are left out, such as crops that are searched in the pixels.",
        ]
    )


def tabulate_bytes(stored: Sequence[Stored]) -> Table:
    """Tabulate the bytes of mezzanines."""
    rows = [
        [
            one.name.replace("_", " "),
            f"{one.megapixels:.1f}",
            f"{one.master / 1000:,.0f}",
            *(f"{one.mezzanines[side] / 1000:,.0f}" if side in one.mezzanines else "" for side in (1280, 1920)),
            f"{one.share:.2f}",
            f"{one.share_of_all:.2f}",
        ]
        for one in stored
    ]
    masters, mezzanines = sum(one.master for one in stored), sum(sum(one.mezzanines.values()) for one in stored)
    everything = masters + mezzanines + sum(one.presets for one in stored)
    rows.append(["all", "", f"{masters / 1000:,.0f}", "", "", f"{mezzanines / masters:.2f}"])
    rows[-1].append(f"{mezzanines / everything:.2f}")
    headings = ["", "MP", "master kB", "1,280 px kB", "1,920 px kB", "of the master", "of all"]
    return Table(f"Mezzanines of {len(stored)} photographs", headings, rows)


def tabulate_scores(compared: Sequence[Compared]) -> Table:
    """Tabulate the differences of scores by variant."""
    by_variant = defaultdict(list)
    for one in compared:
        by_variant[one.variant].append(one)
    rows = [[variant, *_describe(images)] for variant, images in by_variant.items()]
    rows.append(["all", *_describe(compared)])
    return Table("Images from mezzanines", ["", "images", "mean difference", "worst", "bytes"], rows)


def _describe(images: Sequence[Compared]) -> list[str]:
    differences = [one.difference for one in images]
    ratio = median(one.bytes_ratio for one in images)
    return [str(len(images)), f"{fmean(differences):+.2f}", f"{min(differences):+.2f}", f"{ratio:.3f}"]


def tabulate_decoding(decoded: Sequence[Decoded]) -> Table:
    """Tabulate times of decoding and resizing."""
    rows = [[one.what, str(one.width_px), str(one.master), str(one.mezzanine), f"{one.ratio:.2f}"] for one in decoded]
    return Table("Decode and resize, JPEG output", ["", "px", "master ms", "mezzanine ms", "ratio"], rows)
