"""The report as a page: static HTML without scripts, whose images are part of it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from darkroom.visible_text import escape_html as escape

from .documents import MEASURED

STYLE = Path(__file__).with_name("report.css").read_text(encoding="utf-8")
SCRIPT = Path(__file__).with_name("sign_in.js").read_text(encoding="utf-8")

_BAR, _GAP, _PLOT_HEIGHT = 14, 4, 140
"""Of the histogram, in px."""


def _hash_source(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


HEADERS: Mapping[str, str] = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": f"default-src 'none'; style-src {_hash_source(STYLE)}; "
    f"script-src {_hash_source(SCRIPT)}; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
"""Of every page."""


def format_sign_in(key: str) -> str:
    """Return the page that takes a token, from a form or from the fragment of its address, and sends it in a POST."""
    return _format_page(
        f"Evidence: {key}",
        f"<main><h1>Evidence report</h1><p class=key>{escape(key)}</p>"
        "<form method=post><label>Evidence token <input name=token type=password autocomplete=off required></label>"
        f"<button>Show</button></form></main><script>{SCRIPT}</script>",
    )


def format_report(report: Mapping[str, Any]) -> str:
    """Return the page about ``report``."""
    original = report["original"]
    facts = {
        "Read at": report["at"],
        "Upload": f"{original['place']}, version {original['version_id']}",
        "SHA-256": original["sha256"] or "unknown",
        "Equals the hash at ingest": _format_value(original["matches_index"]),
        "State": report["state"],
    }
    if "custody" in report:
        facts["Record of this access"] = f"number {report['custody']['record']}, {report['custody']['record_sha256']}"
    body = (
        f"<main><h1>Evidence report</h1><p class=key>{escape(report['key'])}</p>{_format_facts(facts)}"
        f"<p class=note>{escape(report['why_no_total'])}</p>"
        + "".join(_format_measure(one) for one in report["measures"])
        + "</main>"
    )
    return _format_page(f"Evidence: {report['key']}", body)


def _format_page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width">'
        f"<title>{escape(title)}</title><style>{STYLE}</style><body>{body}</body></html>"
    )


def _format_facts(facts: Mapping[str, object]) -> str:
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in facts.items())
    return f"<dl>{rows}</dl>"


def _format_measure(measure: Mapping[str, Any]) -> str:
    """Return the section of one measure."""
    verdicts = {True: ("flagged", "flagged"), False: ("clear", "not flagged"), None: ("open", "no answer")}
    kind, text = verdicts[measure["flagged"]]
    if measure["state"] != MEASURED:
        kind, text = "open", str(measure["state"])
    parts = [
        f"<h2>{escape(measure['title'])} <span class={kind}>{escape(text)}</span></h2>",
        f"<p>{escape(measure['meaning'])}</p>",
    ]
    if measure.get("reason"):
        parts.append(f"<p class=reason>{escape(measure['reason'])}.</p>")
    value = measure.get("value") or {}
    parts.append(_format_images(measure.get("images") or {}))
    if value.get("histogram"):
        parts.append(_format_histogram(value["histogram"]))
    parts.append(_format_values(value))
    parts += [_format_copy(copy) for copy in value.get("copies", ())]
    parts.append(f"<p class=note>{escape(measure['limits'])}</p>")
    parts.append(_format_rates(measure["rates"]))
    return f"<section>{''.join(parts)}</section>"


def _format_copy(copy: Mapping[str, Any]) -> str:
    comparison = copy["comparison"]
    texts = {"key": copy["key"], "score": copy["score"], "perceptual_distance": copy["perceptual_distance"]}
    reason = comparison.get("reason", "")
    return (
        f"<h3>{escape(str(copy['key']))}</h3>"
        + (f"<p class=reason>{escape(reason)}.</p>" if reason else "")
        + _format_images(comparison.get("images") or {})
        + _format_values(texts | (comparison.get("value") or {}))
    )


_CAPTIONS = {
    "differences": "differences: white is 64 grey levels",
    "map": "white: fits one compression, black: two",
    "image": "image, red: areas that differ",
}


def _format_images(images: Mapping[str, str]) -> str:
    shown = []
    for name, data in images.items():
        kind, caption = "jpeg" if data.startswith("/9j/") else "png", escape(_CAPTIONS.get(name, name))
        shown.append(
            f'<figure><img class={"photo" if kind == "jpeg" else "cells"} alt="{escape(name)}" '
            f'src="data:image/{kind};base64,{escape(data)}"><figcaption>{caption}</figcaption></figure>'
        )
    return f"<div class=images>{''.join(shown)}</div>" if shown else ""


_DRAWN = ("histogram", "copies", "frequencies", "luma", "chroma")
"""Values that are drawn, or that only the JSON has."""


_LABELS = {"areas": "areas: left, top, width, height in px"}


def _format_values(value: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><th>{escape(_LABELS.get(name, name.replace('_', ' ')))}</th><td>{escape(_format_value(one))}</td></tr>"
        for name, one in value.items()
        if name not in _DRAWN
    )
    return f"<table class=values>{rows}</table>" if rows else ""


def _format_value(value: object) -> str:
    match value:
        case None | "" | []:
            return "–"
        case bool():
            return "yes" if value else "no"
        case list():
            return "; ".join(", ".join(map(str, one)) if isinstance(one, list) else _format_value(one) for one in value)
    return str(value)


def _format_histogram(histogram: Mapping[str, Any]) -> str:
    """Draw the observed levels as bars, and what one and two compressions would make them as lines."""
    series = {name: histogram[name] for name in ("observed", "once", "twice")}
    most = max(max(values) for values in series.values()) or 1
    width = len(histogram["levels"]) * (_BAR + _GAP)
    bars = "".join(
        f'<rect x="{place * (_BAR + _GAP)}" y="{_PLOT_HEIGHT * (1 - share / most):.1f}" width="{_BAR}" '
        f'height="{_PLOT_HEIGHT * share / most:.1f}"/>'
        for place, share in enumerate(series["observed"])
    )
    lines = "".join(
        f'<polyline class={name} points="{_list_points(series[name], most)}"/>' for name in ("once", "twice")
    )
    vertical, horizontal = histogram["frequency"]
    return (
        f'<figure><svg class=histogram viewBox="0 0 {width} {_PLOT_HEIGHT}" role=img aria-label=Levels>{bars}{lines}'
        "</svg><figcaption>Levels of the coefficients of frequency "
        f"{vertical}, {horizontal}, from {histogram['levels'][0]} to {histogram['levels'][-1]} without 0. Bars: this "
        "image. <span class=once>Line: expected after one compression.</span> "
        "<span class=twice>Line: after two.</span></figcaption></figure>"
    )


def _list_points(shares: Iterable[float], most: float) -> str:
    points = enumerate(shares)
    return " ".join(
        f"{place * (_BAR + _GAP) + _BAR / 2:.0f},{_PLOT_HEIGHT * (1 - share / most):.1f}" for place, share in points
    )


def _format_rates(rates: Sequence[Mapping[str, Any]]) -> str:
    if not rates:
        return "<p class=note>No rates were measured.</p>"
    rows = "".join(
        f"<tr><td>{escape(one['group'])}</td><td>{escape(one['kind'])}</td><td>{one['flagged']} of {one['images']}</td>"
        f"<td>{one['interval_95'][0]:.0%} to {one['interval_95'][1]:.0%}</td></tr>"
        for one in rates
    )
    return (
        "<table class=rates><caption>How often it is right: flagged images of known origin</caption><tr><th>images</th>"
        f"<th>kind</th><th>flagged</th><th>95 % interval</th></tr>{rows}</table>"
    )
