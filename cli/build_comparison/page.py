"""The page of a comparison: totals, and the worst results side by side."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median

from darkroom.visible_text import escape_html as escape

from .compare import Comparison, RenderedSide

WORST = 20
"""Results that are shown."""

MOST_ERRORS = 5
"""Different errors of both builds that are shown."""

_STYLE = """
:root { color-scheme: light dark; --line: #8886; }
body { margin: 0 auto; max-width: 75rem; padding: 1.5rem 1rem 4rem; font: 16px/1.5 system-ui, sans-serif; }
h1 { margin: 0 0 .25rem; } h2 { font-size: 1rem; overflow-wrap: anywhere; border-top: 1px solid var(--line);
  padding-top: 1rem; margin: 2rem 0 .5rem; }
table { border-collapse: collapse; } td, th { text-align: left; padding: .2rem 1.5rem .2rem 0; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; } figure { margin: 0; }
img { max-width: 100%; height: auto; background: repeating-conic-gradient(#ccc 0 25%, #fff 0 50%) 0/16px 16px; }
figcaption { font-size: .85rem; } .reason { color: #c62828; font-weight: 600; }
"""


def format_page(compared: Sequence[Comparison], names: tuple[str, str], left_out: Mapping[str, int]) -> str:
    """Return the page as self-contained HTML, with the :data:`WORST` results as images.

    ``left_out`` is the number of logged requests that were not compared, by reason.
    """
    worst = sorted(compared, key=lambda one: one.rank)[:WORST]
    rows = "".join(f"<tr><th>{escape(name)}<td>{escape(text)}" for name, text in summarise(compared, left_out))
    return "".join(
        [
            "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
            f"<title>Comparison of two builds</title><style>{_STYLE}</style><h1>Comparison of two builds</h1>",
            f"<p>{escape(names[0])} before, {escape(names[1])} after. Scores: SSIMULACRA2, 100 is equal.",
            f"<table>{rows}</table>",
            *(_format_comparison(one, names) for one in worst),
        ]
    )


def summarise(compared: Sequence[Comparison], left_out: Mapping[str, int]) -> list[tuple[str, str]]:
    """Return names and texts of the totals."""
    scores = [one.score for one in compared if one.score is not None]
    rendered = [one for one in compared if not (one.before.error or one.after.error)]
    errors = Counter(one.shared_error for one in compared if one.shared_error)
    sizes, times = (
        [(getattr(one.before, field), getattr(one.after, field)) for one in rendered]
        for field in ("size_bytes", "cpu_ms")
    )
    return [
        ("compared requests", str(len(compared) - errors.total())),
        ("requests with the same error in both builds", str(errors.total())),
        *((f"same error: {error}", str(count)) for error, count in errors.most_common(MOST_ERRORS)),
        ("logged requests that were not compared", str(sum(left_out.values()))),
        *((f"not compared: {reason}", str(count)) for reason, count in sorted(left_out.items())),
        ("equal images", str(sum(score == 100 for score in scores))),
        ("without a score", str(len(compared) - errors.total() - len(scores))),
        ("lowest score", f"{min(scores):.1f}" if scores else "none"),
        ("median score", f"{median(scores):.1f}" if scores else "none"),
        ("bytes, after by before", _ratio(sizes)),
        ("CPU time, after by before", _ratio(times)),
    ]


def _ratio(pairs: Sequence[tuple[float, float]]) -> str:
    before, after = (sum(pair[place] for pair in pairs) for place in (0, 1))
    return f"{after / before:.3f}" if before else "none"


def _format_comparison(one: Comparison, names: tuple[str, str]) -> str:
    said = f"<p class=reason>{escape(one.reason)}" if one.reason else f"<p>Score {one.score:.1f}"
    sides = "".join(_format_side(side, name) for side, name in zip((one.before, one.after), names, strict=True))
    return f"<h2>{escape(one.request.url)}</h2>{said}, requested {one.request.count} times<div class=pair>{sides}</div>"


def _format_side(side: RenderedSide, name: str) -> str:
    if side.error:
        return f"<figure><figcaption>{escape(name)}: {escape(side.error)}</figcaption></figure>"
    data = base64.b64encode(side.path.read_bytes()).decode("ascii")
    caption = f"{escape(name)}: {side.content_type}, {side.size_bytes:,} bytes, {side.cpu_ms:.0f} ms"
    return (
        f"<figure><img alt='' src='data:{side.content_type};base64,{data}'><figcaption>{caption}</figcaption></figure>"
    )
