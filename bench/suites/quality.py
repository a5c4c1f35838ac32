"""``q=auto``: distance from the target score, and bytes compared with a fixed quality."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, geometric_mean, median, quantiles

from ..auto.unseen import Outcome, compare_formats
from ..corpus.packages import PackageUnavailable
from ..goals import Figure, Rounds, Section
from ..tables import Table
from . import Progress

EVERY = {"full": {"webp": 1, "jpeg": 4, "avif": 4}, "quick": {"webp": 8, "jpeg": 24, "avif": 24}}
"""Every n-th unseen image is measured, by format: the goals are about WebP."""

NAMES = {
    ("webp", "fast"): "WebP",
    ("jpeg", "fast"): "JPEG",
    ("avif", "fast"): "AVIF",
    ("webp", "slow"): "WebP, re-encoded",
}


def measure(rounds: Rounds, progress: Progress) -> Section:
    """Measure all unseen images, or few of them if ``rounds`` is ``quick``."""
    try:
        found = compare_formats(EVERY[rounds], progress)
    except PackageUnavailable as reason:
        return Section("", missing=[f"`q=auto`: {reason}."])
    return Section(text(found), figures(found[0], found[-1]))


def figures(first: Outcome, refined: Outcome) -> list[Figure]:
    """Return the share of images near the target, the lower of first and re-encoded ones, and the re-encoded bytes."""
    shares = first.within, refined.within
    value, at_first = geometric_mean(refined.ratios), geometric_mean(first.ratios)
    why = (
        f"equal scores alone save nothing, because complex images need more; the encoder's slower "
        f"settings make {at_first:.2f} of it alone"
    )
    return [
        Figure("auto-within-2", min(shares), min(shares), max(shares)),
        Figure("auto-bytes", value, value, at_first, floor=None, why=why),
    ]


def text(found: Sequence[Outcome]) -> str:
    """Format the table and its explanation."""
    webp = found[0]
    photographs = sum(one.kind == "photograph" for one in webp.results)
    rows = [
        [
            NAMES[one.form, one.pace],
            str(len(one.results)),
            f"{100 * one.within:.0f} %",
            f"{one.mean_score:.1f}",
            f"{one.equal_quality:.0f}",
            f"{geometric_mean(one.ratios):.2f}",
            f"{one.settings_ratio:.2f}",
            f"{one.total_ratio:.2f}",
            f"{fmean(made.encodes for made in one.results):.1f}",
            f"{median(made.took_ms for made in one.results):.0f}",
            f"{median(made.fixed_ms for made in one.results):.0f}",
            f"{fmean(off**2 for off in one.errors) ** 0.5:.2f} / {quantiles(one.errors, n=10)[-1]:.2f}",
        ]
        for one in found
    ]
    heads = (
        "",
        "images",
        "within 2",
        "mean score",
        "same mean at q",
        "bytes of an image",
        "by settings alone",
        "bytes of all",
        "encodes",
        "ms",
        "ms fixed",
        "estimate error",
    )
    return "\n\n".join(
        (
            f"The target of `q=auto` is {webp.target:.0f} of SSIMULACRA2, the mean of WebP at quality 80. "
            f"{len(webp.results)} images that were not used for learning ({photographs} photographs, the others "
            "graphics) of 400 to 960 px, as WebP, and a quarter of them as JPEG and AVIF:",
            Table("Quality by target score", heads, rows).markdown(),
            "Bytes are relative to the fixed quality with the same mean score: of an image, the mean ratio; of "
            "all, in total. At a fixed quality, a complex image looks worse than others and is large: for "
            "an equal score it gets more bytes, and simple images get fewer. So equal "
            "scores save bytes on most images, and cost some in the total of a mixed set. By settings alone: "
            "savings of the encoder's slower settings with a fixed quality, which are most of it. ms are CPU "
            "times, and depend on the load. Estimate error: root mean square and 90th percentile. Re-encoded: "
            "served later, after a search of the encoder's options as well; the image is "
            "replaced if that saves 1 % at an equal score.",
        )
    )
