"""Search every alteration among all photographs, by embedding and by perceptual hash."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

import numpy as np
import pyvips
from numpy.typing import NDArray
from PIL import Image

from darkroom.imaging.preview.hashes import compute_perceptual_hash
from darkroom_pipeline.aws.vectors.packing import QueryVector, hamming_distance, pack
from darkroom_pipeline.services.similarity import COPY_BITS, COPY_SCORE

from ..tables import Table
from .alterations import ALTERATIONS

type Embed = Callable[[NDArray[np.uint8]], Sequence[float]]
"""Returns the embedding of an image, RGB of shape (height, width, 3)."""


@dataclass(frozen=True, slots=True)
class ImageVectors:
    """Embedding and hash of an image."""

    question: QueryVector
    packed: bytes
    hash: str


@dataclass(frozen=True, slots=True)
class Found:
    """Scores of an altered image and its original, and whether the original ranks first."""

    score: float
    bits: int
    first_by_score: bool
    first_by_bits: bool


def compute_vectors(image: Image.Image, embed: Embed) -> ImageVectors:
    """Compute the vectors of ``image``."""
    vector = embed(np.asarray(image))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return ImageVectors(
        QueryVector.from_floats(vector),
        pack(vector),
        compute_perceptual_hash(pyvips.Image.new_from_buffer(buffer.getvalue(), "")),
    )


def search_all(altered: Mapping[str, ImageVectors], originals: Mapping[str, ImageVectors]) -> list[Found]:
    """Search each of ``altered`` among ``originals``; both by name."""
    found = []
    for name, copy in altered.items():
        scores = {other: copy.question.score(original.packed) for other, original in originals.items()}
        bits = {other: hamming_distance(copy.hash, original.hash) for other, original in originals.items()}
        found.append(
            Found(
                scores[name],
                bits[name],
                max(scores, key=lambda other: scores[other]) == name,
                min(bits, key=lambda other: bits[other]) == name,
            )
        )
    return found


def measure_recall(photographs: Mapping[str, Image.Image], embed: Embed) -> dict[str, list[Found]]:
    """Measure the recall of each alteration by name."""
    originals = {name: compute_vectors(image, embed) for name, image in photographs.items()}
    return {
        alteration: search_all(
            {name: compute_vectors(alter(image), embed) for name, image in photographs.items()}, originals
        )
        for alteration, alter in ALTERATIONS.items()
    }


def compare_unrelated(photographs: Mapping[str, Image.Image], embed: Embed) -> list[Found]:
    """Compare every two photographs, which are not copies of each other."""
    prints = [compute_vectors(image, embed) for image in photographs.values()]
    return [
        Found(a.question.score(b.packed), hamming_distance(a.hash, b.hash), first_by_score=False, first_by_bits=False)
        for a, b in combinations(prints, 2)
    ]


def format_table(photographs: Mapping[str, Image.Image], embed: Embed, model: str) -> Table:
    """Format the table: a row for each alteration, the last for images that are no copies."""
    rows = [_row(name, found, firsts=True) for name, found in measure_recall(photographs, embed).items()]
    return Table(
        f"{len(photographs)} photographs, {model}",
        ("", "ranked first", f"score ≥ {COPY_SCORE}", "score", "hash first", f"bits < {COPY_BITS}", "bits"),
        [*rows, _row("another image", compare_unrelated(photographs, embed), firsts=False)],
        ["Scores and bits: median (least–greatest)."],
    )


def _row(name: str, found: Sequence[Found], *, firsts: bool) -> tuple[str, ...]:
    def of(count: int) -> str:
        return f"{count} of {len(found)}"

    scores, bits = [one.score for one in found], [one.bits for one in found]
    return (
        name,
        of(sum(one.first_by_score for one in found)) if firsts else "",
        of(sum(score >= COPY_SCORE for score in scores)),
        f"{median(scores):.2f} ({min(scores):.2f}–{max(scores):.2f})",
        of(sum(one.first_by_bits for one in found)) if firsts else "",
        of(sum(count < COPY_BITS for count in bits)),
        f"{median(bits):.0f} ({min(bits)}–{max(bits)})",
    )
