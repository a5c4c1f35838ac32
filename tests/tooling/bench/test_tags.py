"""Thresholds of tags, the labels of the photographs, and the archives that these come in."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

import pytest

from bench.tags.calibration import Counts, Scored, calibrate, count, cross_validate, wilson_interval
from bench.tags.photographs import LabelledPhotograph, read_labels
from bench.tags.qt_resources import read_resources
from bench.tags.vocabulary import TABLE, find_implied
from cli.models.efficientnet_lite import read_tags
from darkroom.findings import TAGS
from darkroom_analysis.models.catalogue import SMALL_MODELS, load_catalogue


def photograph(motif: str, scores: Mapping[str, float], *required: str, optional: str = "") -> Scored:
    return Scored(motif, {"dog": 0.0, "wolf": 0.0, **scores}, frozenset(required), frozenset(filter(None, [optional])))


def dogs(count: int, score: float = 0.85) -> list[Scored]:
    return [photograph(f"dog {number}", {"dog": score}, "dog") for number in range(count)]


@pytest.mark.parametrize(
    ("photographs", "thresholds"),
    [
        (dogs(7), {}),
        (dogs(8), {"dog": 0.8}),
        (dogs(8, 0.79), {}),
        ([*dogs(8), photograph("goat", {"dog": 0.76})], {}),
        ([*dogs(8), photograph("goat", {"dog": 0.74})], {"dog": 0.8}),
        ([*dogs(8), photograph("goat", {"dog": 0.872})], {"dog": 0.94}),
        ([*dogs(8), photograph("goat", {"dog": 0.99})], {"dog": 0.98}),
        ([*dogs(8), photograph("dingo", {"dog": 0.99}, optional="dog")], {"dog": 0.8}),
    ],
)
def test_wrong_tags_raise_thresholds_and_right_ones_lower_them(
    photographs: list[Scored], thresholds: dict[str, float]
) -> None:
    assert calibrate(photographs) == thresholds


def test_tags_are_counted() -> None:
    photographs = [
        photograph("a", {"dog": 0.95, "wolf": 0.91}, "dog"),
        photograph("b", {"dog": 0.3}, "dog"),
        photograph("c", {"wolf": 0.95}, optional="wolf"),
    ]
    assert count(photographs, {}) == Counts(1, 1, 1, ("wolf",))
    assert count(photographs, {"wolf": 0.92}) == Counts(1, 0, 1)
    assert (count(photographs, {}).precision, count(photographs, {}).recall) == (0.5, 0.5)


def test_a_photograph_is_evaluated_without_its_own_motif() -> None:
    """The goat would raise the threshold above its own score."""
    photographs = [*dogs(20, 0.95), photograph("goat", {"dog": 0.97})]
    counts, wrong = cross_validate(photographs)
    assert (counts.wrong, wrong["dog"]) == (1, 5)
    assert count(photographs, calibrate(photographs)).wrong == 0


def test_the_interval_is_wilsons() -> None:
    assert wilson_interval(0.0, 100) == pytest.approx((0.0, 0.037), abs=0.0005)
    assert wilson_interval(0.1, 100) == pytest.approx((0.0552, 0.1744), abs=0.0005)


@pytest.mark.parametrize(
    ("file", "motif"),
    [
        ("animals/zebra2.png", "zebra"),
        ("x.rcc:gcompris/TajMahal_background.webp", "tajmahal"),
        ("a/imagenet_06.jpg", "imagenet"),
    ],
)
def test_numbered_photographs_are_of_one_motif(file: str, motif: str) -> None:
    assert LabelledPhotograph("deb:x", file, frozenset(), frozenset()).motif == motif


def test_labels_are_tags_of_the_model_with_what_they_imply() -> None:
    implied = find_implied(read_tags(TABLE))
    assert implied["sports car"] == {"car", "vehicle"}
    assert implied["dog"] == {"animal"}
    labels = read_labels(implied)
    assert len(labels) > 700
    [dog] = [one for one in labels if one.file.endswith("explore_farm_animals/resource/animals/dog.webp")]
    assert (dog.required, dog.optional) == ({"dog", "animal"}, frozenset())


def test_thresholds_are_of_tags_of_the_model() -> None:
    known = {name for group in read_tags(TABLE).values() for name in group}
    thresholds = load_catalogue(SMALL_MODELS).get(TAGS).thresholds
    assert {*thresholds} - {"tag"} <= known
    assert thresholds["tag"] == 0.9


def resource(files: Mapping[str, tuple[int, bytes]]) -> bytes:
    """A resource of version 2 with one folder: flags and stored bytes of each file by name."""
    names, tree, data = b"", b"", b""

    def add_name(name: str) -> int:
        nonlocal names
        at = len(names)
        names += struct.pack(">HI", len(name), 0) + name.encode("utf-16-be")
        return at

    tree += struct.pack(">IHIIQ", 0, 2, 1, 1, 0) + struct.pack(">IHIIQ", add_name("images"), 2, len(files), 2, 0)
    for name, (flags, content) in files.items():
        tree += struct.pack(">IHHHIQ", add_name(name), flags, 0, 0, len(data), 0)
        data += struct.pack(">I", len(content)) + content
    head = 20
    return struct.pack(">4s4I", b"qres", 2, head, head + len(tree), head + len(tree) + len(data)) + tree + data + names


def test_files_are_read_from_a_resource_of_qt() -> None:
    packed = struct.pack(">I", 5) + zlib.compress(b"words")
    found = read_resources(resource({"caf\u00e9.webp": (0, b"picture"), "b.json": (1, packed)}))
    assert found == {"images/caf\u00e9.webp": b"picture", "images/b.json": b"words"}


def test_another_compression_is_refused() -> None:
    with pytest.raises(ValueError, match="flags 4"):
        read_resources(resource({"a": (4, b"zstd")}))
    with pytest.raises(ValueError, match="no resource"):
        read_resources(b"PK\x03\x04" + bytes(20))
