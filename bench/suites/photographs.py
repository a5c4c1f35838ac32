"""Bytes of first responses and re-encoded images compared with sharp's at an equal score, over many photographs."""

from __future__ import annotations

from collections.abc import Sequence

from ..competitors.model import MissingCompetitor
from ..corpus.packages import PackageUnavailable
from ..goals import Figure, Rounds, Section
from ..photographs.comparing import WIDTH_PX, Outcome, compare_format, list_photographs
from ..report import ALLOWANCE
from ..tables import Table
from . import Progress

AVIF_ALLOWANCE = 0.08
"""Allowed share of additional bytes of a first response; popular images are re-encoded in the background."""

BEST = {
    "avif": (0.954, "effort 7, in four times the CPU time"),
    "webp": (0.966, "the best of four sets of options, in six times the CPU time"),
    "jpeg": (0.972, "the best of mozjpeg's tables with and without its trellis, in four times the CPU time"),
}
"""The settings that re-encode with the fewest bytes of all that were searched, and their share of the bytes of today's
at an equal score: of 28 photographs that nothing was tuned on, for JPEG of ten others (decision 94)."""

FORMS = {"avif": "AVIF", "webp": "WebP", "jpeg": "JPEG"}
EVERY = {"full": 1, "quick": 5}
"""Every n-th photograph is measured."""


def measure(rounds: Rounds, progress: Progress) -> Section:
    """Compare all formats."""
    try:
        files = list_photographs()[:: EVERY[rounds]]
        outcomes = [
            compare_format(form, files, progress, reencoded=reencoded) for reencoded in (False, True) for form in FORMS
        ]
    except (MissingCompetitor, PackageUnavailable) as reason:
        return Section("", missing=[f"Bytes over many photographs: {reason}."])
    return Section(text(outcomes), figures(outcomes))


def mean_ratio(form: str, rounds: Rounds, progress: Progress) -> float | None:
    """Return the geometric mean of one format, None without the photographs or sharp."""
    try:
        return compare_format(form, list_photographs()[:: EVERY[rounds]], progress).mean
    except (MissingCompetitor, PackageUnavailable):
        return None


def figures(outcomes: Sequence[Outcome]) -> list[Figure]:
    """Return the geometric mean of each format with its floor, and the largest ratio of first AVIFs."""
    found = []
    for one in outcomes:
        least = min(compared.ratio for compared in one.found)
        goal = f"bytes-{one.form}{'-reencoded' if one.reencoded else ''}"
        floor, reached_by = _find_floor(one, outcomes)
        why = f"at most {_worst(one)}; the floor is {reached_by}"
        found.append(Figure(goal, one.mean, least, one.worst.ratio, floor, why))
        if goal == "bytes-avif":
            again = _find_again(one, outcomes)
            floor = again.worst.ratio if again else None
            found.append(Figure("bytes-avif-worst", one.worst.ratio, least, one.worst.ratio, floor, _worst(one)))
    return found


def _find_floor(one: Outcome, outcomes: Sequence[Outcome]) -> tuple[float | None, str]:
    """Return the least ratio that settings are known to reach, and which: without regard to time."""
    if one.reencoded:
        share, settings = BEST[one.form]
        return one.mean * share, settings
    again = _find_again(one, outcomes)
    return again.mean if again else None, "that of re-encoding in the background"


def _find_again(one: Outcome, outcomes: Sequence[Outcome]) -> Outcome | None:
    """Return what replaces the first responses ``one``, if it was measured."""
    return next((other for other in outcomes if other.reencoded and other.form == one.form), None)


def text(outcomes: Sequence[Outcome]) -> str:
    """Format the tables and their explanation."""
    first, reencoded = ([one for one in outcomes if one.reencoded is after] for after in (False, True))
    number = len(outcomes[0].found)
    tables = [_tabulate(f"{number} photographs, {WIDTH_PX} px wide", first)]
    if reencoded:
        tables.append(_tabulate("The same, re-encoded in the background", reencoded))
    return "\n\n".join(
        [
            *(table.markdown() for table in tables),
            f"Ratio: Darkroom's bytes to sharp's at Darkroom's score. Times are compared where a first AVIF has "
            f"at most {AVIF_ALLOWANCE:.0%} more, the other formats {ALLOWANCE:.0%}, in the geometric mean. Bytes and "
            "scores are the same under load. Photographs: Debian's lomiri-wallpapers-16.04, without its two drawings.",
        ]
    )


def _tabulate(title: str, outcomes: Sequence[Outcome]) -> Table:
    names = [one.name for one in outcomes[0].found]
    rows = [
        [name.replace("_", " "), *(cell for one in outcomes for cell in _cells(one, at))]
        for at, name in enumerate(names)
    ]
    rows.append(["geometric mean", *(cell for one in outcomes for cell in ("", "", f"{one.mean:.3f}"))])
    rows.append(["worst", *(cell for one in outcomes for cell in ("", "", f"{one.worst.ratio:.3f}"))])
    return Table(title, ["", *(head for form in FORMS.values() for head in (f"{form} bytes", "score", "ratio"))], rows)


def _cells(one: Outcome, at: int) -> tuple[str, str, str]:
    compared = one.found[at]
    return f"{compared.size_bytes:,}", f"{compared.score:.1f}", f"{compared.ratio:.3f}"


def _worst(one: Outcome) -> str:
    return f"{one.worst.ratio:.2f}, {one.worst.name.replace('_', ' ')}"
