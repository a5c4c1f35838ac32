"""Compare the ranking of look-alikes with that of copies: how many of the nearest images show the same kind."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from darkroom_analysis.models.pixels import Floats, Pixels

from ..tables import Table
from .photographs import LabelledPhotograph

NEAREST = 5
KINDS = (
    *("dog", "cat", "big cat", "fish", "parrot", "penguin", "chicken", "monkey", "cattle", "sheep", "horse", "rabbit"),
    *("flower", "mushroom", "apple", "orange", "guitar", "violin", "hammer", "screwdriver", "car", "truck", "castle"),
    *("church", "dam", "lizard", "camera"),
)
"""Tags of things by which images are compared: none is implied by another one here."""

STYLE = (
    "body{font:15px sans-serif}td.same img{outline:3px solid #2a7}td{padding:4px;vertical-align:top}"
    "th{text-align:left;width:9em}td div{color:#666;font-size:13px}"
)

SHOWN = ("dog", "castle", "guitar", "fish", "hammer", "flower")


def find_kinds(photographs: Sequence[LabelledPhotograph]) -> list[str]:
    """Return the kind of each photograph, "" if it has none or several."""
    found = []
    for one in photographs:
        kinds = [kind for kind in KINDS if kind in one.required]
        found.append(kinds[0] if len(kinds) == 1 else "")
    return found


def rank(vectors: Floats, query: int) -> list[int]:
    """Return all other images, the nearest first."""
    order = np.argsort(-(vectors @ vectors[query]), kind="stable")
    return [int(index) for index in order if index != query]


def format_ranking(kinds: Sequence[str], by_basis: Mapping[str, Floats]) -> Table:
    """Format a row for each basis: how many of the nearest images are of the kind of the query."""
    queries = [index for index, kind in enumerate(kinds) if kind and kinds.count(kind) > NEAREST]
    rows = []
    for basis, vectors in by_basis.items():
        nearest = {
            query: [kinds[index] == kinds[query] for index in rank(vectors, query)[:NEAREST]] for query in queries
        }
        first = sum(found[0] for found in nearest.values())
        every = sum(sum(found) for found in nearest.values())
        rows.append((basis, f"{first} of {len(queries)}", f"{every / len(queries) / NEAREST:.0%}"))
    chance = np.mean([(kinds.count(kinds[query]) - 1) / (len(kinds) - 1) for query in queries])
    headings = ("basis", "nearest is of the same kind", f"of the {NEAREST} nearest")
    notes = [
        f"{len(queries)} photographs as queries among {len(kinds)}; by chance {chance:.1%} are of the same kind.",
        *(
            f"Median cosine of {basis}: {_format_cosines(kinds, queries, vectors)}."
            for basis, vectors in by_basis.items()
        ),
    ]
    return Table("Look-alikes and copies", headings, rows, notes)


def _format_cosines(kinds: Sequence[str], queries: Sequence[int], vectors: Floats) -> str:
    """Return the medians of pairs of one kind and of different kinds."""
    named = np.array([kinds[index] for index in queries])
    cosines = vectors[list(queries)] @ vectors[list(queries)].T
    same = named[:, np.newaxis] == named
    pairs = np.triu(np.ones_like(same), k=1)  # each pair once
    of_one, of_two = (float(np.median(cosines[chosen & pairs])) for chosen in (same, ~same))
    return f"{of_one:.2f} of one kind, {of_two:.2f} of different kinds"


def format_page(images: Sequence[Pixels], kinds: Sequence[str], by_basis: Mapping[str, Floats]) -> str:
    """Return a page with the nearest images of the first photograph of each shown kind, a row for each basis."""
    sections = []
    for kind in SHOWN:
        query = kinds.index(kind)
        rows = [
            f"<tr><th>{html.escape(basis)}</th><td>{_embed(images[query])}</td>"
            + "".join(
                f"<td class={'same' if kinds[index] == kind else 'other'}>{_embed(images[index])}"
                f"<div>{vectors[index] @ vectors[query]:.2f}</div></td>"
                for index in rank(vectors, query)[:NEAREST]
            )
            + "</tr>"
            for basis, vectors in by_basis.items()
        ]
        sections.append(f"<h2>{html.escape(kind)}</h2><table>{''.join(rows)}</table>")
    title = "Look-alikes and copies"
    note = f"The query, then the {NEAREST} nearest photographs with their cosines; green: of the same kind."
    return (
        f"<!doctype html><meta charset=utf-8><title>{title}</title><style>{STYLE}</style><h1>{title}</h1><p>{note}</p>"
        + "".join(sections)
    )


def _embed(image: Pixels) -> str:
    small = Image.fromarray(image)
    small.thumbnail((128, 128))
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=70)
    return f'<img alt="" src="data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}">'
