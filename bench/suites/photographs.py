"""Bytes of first responses and re-encoded images compared with sharp's at an equal score, over many images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..competitors.model import MissingCompetitor
from ..corpus.packages import PackageUnavailable
from ..goals import Figure, Rounds, Section
from ..photographs.comparing import WIDTH_PX, Compared, Outcome, compare_format
from ..photographs.sources import GRAPHICS_OF, PHOTOGRAPHS_OF, list_graphics, list_photographs
from ..photographs.views import BROWSERS, MonthBytes, compute_first_share, encode_defaults, tabulate_views, weigh_views
from ..report import ALLOWANCE
from ..shop import Shop
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
KINDS: Mapping[str, tuple[Callable[[], Sequence[Path]], Sequence[str]]] = {
    "photographs": (list_photographs, tuple(FORMS)),
    "graphics": (list_graphics, ("avif", "webp")),
}
"""What is measured, and in which formats: graphics are not made to JPEGs unless a URL asks for them."""

EVERY = {"full": 1, "quick": 5}
"""Every n-th image is measured."""


def measure(rounds: Rounds, progress: Progress) -> Section:
    """Compare all formats."""
    try:
        outcomes = [
            replace(compare_format(form, list_files()[:: EVERY[rounds]], progress, reencoded=reencoded), kind=kind)
            for kind, (list_files, forms) in KINDS.items()
            for reencoded in (False, True)
            for form in forms
        ]
        defaults = encode_defaults(list_photographs()[:: EVERY[rounds]])
    except (MissingCompetitor, PackageUnavailable) as reason:
        return Section("", missing=[f"Bytes over many images: {reason}."])
    first_share = compute_first_share(Shop())
    month = weigh_views(outcomes, defaults, first_share)
    return Section(
        "\n\n".join([text(outcomes), tabulate_views(month, first_share).markdown(), describe_views()]),
        [*figures(outcomes), make_views_figure(month)],
    )


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
        least = min(compared.ratio for compared in one.reached)
        of_kind = "" if one.kind == "photographs" else f"-{one.kind}"
        goal = f"bytes-{one.form}{of_kind}{'-reencoded' if one.reencoded else ''}"
        floor, reached_by = _find_floor(one, outcomes)
        why = f"at most {_worst(one)}" + (f"; the floor is {reached_by}" if reached_by else "")
        found.append(Figure(goal, one.mean, least, one.worst.ratio, floor, why))
        if goal == "bytes-avif":
            again = _find_again(one, outcomes)
            floor = again.worst.ratio if again else None
            found.append(Figure("bytes-avif-worst", one.worst.ratio, least, one.worst.ratio, floor, _worst(one)))
    return found


def make_views_figure(month: MonthBytes) -> Figure:
    """Return the ratio to the peers' defaults."""
    least, most = min(month.peers.values()), max(month.peers.values())
    return Figure("bytes-views", month.ratio, month.ours / most, month.ours / least)


def describe_views() -> str:
    """Describe what the bytes of a view assume."""
    shares = ", ".join(f"{share:.1%} {FORMS[form]}" for form, share in BROWSERS.items())
    return (
        f"- Each service sends its default quality, which is not an equal score. Browsers: {shares}. Views by "
        f"popularity as in [a year of a shop](growth.md), re-encoded two hours after the first view, when the CDN "
        f"looks for a replacement."
    )


def _find_floor(one: Outcome, outcomes: Sequence[Outcome]) -> tuple[float | None, str]:
    """Return the least ratio that settings are known to reach, and which: without regard to time."""
    if one.reencoded and one.kind != "photographs":
        return None, ""
    if one.reencoded:
        share, settings = BEST[one.form]
        return one.mean * share, settings
    again = _find_again(one, outcomes)
    return again.mean if again else None, "that of re-encoding in the background"


def _find_again(one: Outcome, outcomes: Sequence[Outcome]) -> Outcome | None:
    """Return what replaces the first responses ``one``, if it was measured."""
    same = (other for other in outcomes if other.reencoded and (other.form, other.kind) == (one.form, one.kind))
    return next(same, None)


def text(outcomes: Sequence[Outcome]) -> str:
    """Format the tables and their explanation."""
    tables = []
    for kind in KINDS:
        for reencoded in (False, True):
            if rows := [one for one in outcomes if (one.kind, one.reencoded) == (kind, reencoded)]:
                after = ", re-encoded in the background" if reencoded else ""
                tables.append(_tabulate(f"{len(rows[0].found)} {kind}, {WIDTH_PX} px wide{after}", rows))
    return "\n\n".join(
        [
            *(table.markdown() for table in tables),
            f"Ratio: Darkroom's bytes to sharp's at Darkroom's score; where sharp's quality 100 does not score as "
            f"high, its score instead, and the image is not in the mean. Times are compared where a first AVIF has "
            f"at most {AVIF_ALLOWANCE:.0%} more, the other formats {ALLOWANCE:.0%}, in the geometric mean. Bytes and "
            f"scores are the same under load. Images: {PHOTOGRAPHS_OF}; {GRAPHICS_OF}.",
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
    forms = [FORMS[one.form] for one in outcomes]
    return Table(title, ["", *(head for form in forms for head in (f"{form} bytes", "score", "ratio"))], rows)


def _cells(one: Outcome, at: int) -> tuple[str, str, str]:
    compared = one.found[at]
    return f"{compared.size_bytes:,}", f"{compared.score:.1f}", _compare_with_peer(compared)


def _compare_with_peer(compared: Compared) -> str:
    return f"{compared.ratio:.3f}" if compared.is_reached else f"(sharp: at most {compared.best_score:.1f})"


def _worst(one: Outcome) -> str:
    return f"{one.worst.ratio:.2f}, {one.worst.name.replace('_', ' ')}"
