"""``q=auto``: how near the target its pictures come, and what they weigh beside one quality for all."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, geometric_mean, median, quantiles

from ..auto.unseen import Outcome, compare_formats
from ..corpus.packages import PackageUnavailable
from ..goals import Figure, Rounds, Section
from ..tables import Table
from . import Progress

EVERY = {"full": {"webp": 1, "jpeg": 4, "avif": 4}, "quick": {"webp": 8, "jpeg": 24, "avif": 24}}
"""Every so manyth of the unseen pictures, by format: the goals are about WebP."""

NAMES = {
    ("webp", "fast"): "WebP",
    ("jpeg", "fast"): "JPEG",
    ("avif", "fast"): "AVIF",
    ("webp", "slow"): "WebP, refined",
}


def measure(rounds: Rounds, progress: Progress) -> Section:
    """Measure with all unseen pictures, or few of them if ``rounds`` is ``quick``."""
    try:
        found = compare_formats(EVERY[rounds], progress)
    except PackageUnavailable as reason:
        return Section("", missing=[f"`q=auto`: {reason}."])
    return Section(text(found), figures(found[0], found[-1]))


def figures(first: Outcome, refined: Outcome) -> list[Figure]:
    """The share of pictures near the target, the lesser of first answers and refined ones; the bytes when refined."""
    shares = first.within, refined.within
    value, at_first = geometric_mean(refined.ratios), geometric_mean(first.ratios)
    why = (
        f"one score for all saves nothing by itself, since what is hard to encode takes more; the encoder's slower "
        f"settings make {at_first:.2f} of it at once"
    )
    return [
        Figure("auto-within-2", min(shares), min(shares), max(shares)),
        Figure("auto-bytes", value, value, at_first, floor=None, why=why),
    ]


def text(found: Sequence[Outcome]) -> str:
    """The table and what it means."""
    webp = found[0]
    photographs = sum(one.kind == "photograph" for one in webp.prints)
    rows = [
        [
            NAMES[one.form, one.pace],
            str(len(one.prints)),
            f"{100 * one.within:.0f} %",
            f"{one.mean_score:.1f}",
            f"{one.alike_quality:.0f}",
            f"{geometric_mean(one.ratios):.2f}",
            f"{one.of_settings:.2f}",
            f"{one.in_total:.2f}",
            f"{fmean(made.encodes for made in one.prints):.1f}",
            f"{median(made.took_ms for made in one.prints):.0f}",
            f"{median(made.fixed_ms for made in one.prints):.0f}",
            f"{fmean(off**2 for off in one.errors) ** 0.5:.2f} / {quantiles(one.errors, n=10)[-1]:.2f}",
        ]
        for one in found
    ]
    heads = (
        "",
        "pictures",
        "within 2",
        "mean score",
        "same mean at q",
        "bytes of a picture",
        "by settings alone",
        "bytes of all",
        "encodes",
        "ms",
        "ms fixed",
        "judge off by",
    )
    return "\n\n".join(
        (
            f"`q=auto` aims at {webp.target:.0f} of SSIMULACRA2, what WebP of quality 80 has on average. "
            f"{len(webp.prints)} pictures that nothing was learned from ({photographs} photographs, the others "
            "graphics) of 400 to 960 px, as WebP, and a quarter of them as JPEG and AVIF:",
            Table("The quality that fits", heads, rows).markdown(),
            "Bytes are beside the one quality for all that has the same mean score: of a picture, the mean ratio; of "
            "all, in total. A picture that is hard to encode looks worse than others at one quality, and is large: to "
            "look as good as the others it gets more bytes, those that look better than need be get fewer. So one "
            "score saves bytes on most pictures, and in the total of a mixed set it costs some. By settings alone: "
            "what the encoder's slower settings save with one quality for all, which is most of it. ms are of the "
            "processor, and hold for the load at the time. The judge: root mean square and 90th percentile. Refined: "
            "as viewers get it later, when several sets of the encoder's options were tried as well, and the picture "
            "was replaced if that saves 1 % at an equal score.",
        )
    )
