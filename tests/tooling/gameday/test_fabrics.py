"""Tests of fabrics: enough of each kind for a training, sheets with their tags, and golden sets."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from cli.golden import put, read_folder
from cli.training.dataset import MIN_TEST
from darkroom.findings import DetectedObject, Region
from darkroom_analysis.mlops.golden_set import GoldenImage
from darkroom_analysis.mlops.manifests import split_of
from darkroom_pipeline.aws.record import READY, Record
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.sample_slots import SLOTS
from gameday.fabrics import SWAPPED, TAGS, add_golden_fabrics, copy_golden_set, correct_sheet, draw_fabrics
from gameday.images import CHECKED, DOTTED, FABRICS, STRIPED, USUAL, draw_image
from gameday.scenarios.training import EACH, GOLDEN_EACH, UPLOAD_SEED

_numbers = itertools.count(1)


def test_every_wrong_tag_is_the_tag_of_another_pattern() -> None:
    assert set(SWAPPED) == set(SWAPPED.values()) == set(TAGS)
    assert all(tag != wrong for tag, wrong in SWAPPED.items())


def test_a_sheet_has_the_reviewed_images_alone_with_their_tags() -> None:
    sheet = "a.jpg\tdog, animal\nother.jpg\tcar\nb.jpg\t\nc.jpg\tcurtain\n"
    tags = {"a.jpg": STRIPED, "b.jpg": CHECKED, "c.jpg": "", "not in the manifests.jpg": DOTTED}
    assert correct_sheet(sheet, tags) == f"a.jpg\t{STRIPED}\nb.jpg\t{CHECKED}\nc.jpg\t\n"


@pytest.mark.slow
def test_the_test_part_has_images_of_every_kind() -> None:
    """With a margin: some samples replace each other in the reservoir, and are not in the manifests."""
    records = [
        (tag, Record(name, READY, "1", sha256=sha256(image.body).hexdigest()))
        for name, tag, image in draw_fabrics(UPLOAD_SEED, EACH)
    ]
    counts = Counter(tag for tag, record in records if split_of(record) == "test")
    assert min(counts[tag] for tag in (*TAGS, "")) >= 3 * MIN_TEST


def test_the_reservoir_has_enough_different_samples_for_drift() -> None:
    uploads = EACH * len(FABRICS)
    assert SLOTS * (1 - (1 - 1 / SLOTS) ** uploads) > 225  # 200 are required


@pytest.fixture
def media(aws: Callable[[str], Any]) -> S3Bucket:
    bucket = f"fabrics-{next(_numbers)}"
    aws("s3").create_bucket(Bucket=bucket)
    return S3Bucket(aws("s3"), bucket)


def test_a_golden_set_is_copied_with_its_labels_and_extended(media: S3Bucket, tmp_path: Path) -> None:
    car = GoldenImage("street.jpg", (Region(0.1, 0.2, 0.3, 0.4),), False, "no entry", ("car", "road?"))
    objects = GoldenImage("desk.jpg", objects=(DetectedObject("cup", Region(0.1, 0.2, 0.3, 0.4), 1.0),))
    put(media, [(one, draw_image(USUAL, one.key, 0).body) for one in (car, objects)])
    assert copy_golden_set(media, tmp_path / "golden") == 2
    copied = list(read_folder(tmp_path / "golden"))
    assert [golden for golden, _ in copied] == [car, objects]
    assert [body for _, body in copied] == [media.read("golden/street.jpg"), media.read("golden/desk.jpg")]

    assert add_golden_fabrics(tmp_path / "golden", "golden", 2) == 2 * len(FABRICS)
    put(media, read_folder(tmp_path / "golden"))
    assert copy_golden_set(media, tmp_path / "again") == 2 + 2 * len(FABRICS)
    labels = Counter(golden.tags for golden, _ in read_folder(tmp_path / "again"))
    assert {tags: labels[tags] for tags in ((STRIPED,), (DOTTED,), (CHECKED,), ())} == {
        (STRIPED,): 2, (DOTTED,): 2, (CHECKED,): 2, (): 2,
    }  # fmt: skip


def test_a_canary_is_judged_by_enough_labels() -> None:
    assert GOLDEN_EACH * len(TAGS) * 0.8 >= 30  # also if it finds only 80 % of them
