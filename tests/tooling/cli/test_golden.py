"""Tests of the golden set: written for models, read by the monitor, provided to the local stack."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cli.golden import line_of, put, read_folder, shown
from cli.main import main
from cli.models.degraded_model import write_degraded_models
from cli.models.model_folders import table_of
from darkroom.findings import FACES, MODERATION, DetectedObject, Region
from darkroom_analysis.mlops.golden_set import GoldenImage, parse_manifest, score_image, sum_confusions
from darkroom_pipeline.aws.s3 import S3Bucket
from local import golden as local_golden
from tests import commands
from tests.images.detectors import models_folder, pixels
from tests.images.photographs import turned

_numbers = itertools.count(1)

LABELLED = GoldenImage("street.png", (Region(0.1, 0.2, 0.3, 0.4),), False, "no entry")


@pytest.fixture
def media(aws: Callable[[str], Any]) -> S3Bucket:
    bucket = f"golden-{next(_numbers)}"
    aws("s3").create_bucket(Bucket=bucket)
    return S3Bucket(aws("s3"), bucket)


def png(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 30)).save(file, "PNG")
    return file.getvalue()


def read_image(media: S3Bucket, key: str) -> Image.Image:
    opened = media.open(key)
    assert opened is not None
    with opened.body as body:
        return Image.open(io.BytesIO(body.read()))


@pytest.mark.parametrize(
    ("golden", "line"),
    [
        (LABELLED, {"faces": [[0.1, 0.2, 0.3, 0.4]], "unsafe": False, "text": "no entry"}),
        (GoldenImage("a.jpg", (), True), {"faces": [], "unsafe": True}),
        (GoldenImage("a.jpg", text=""), {"text": ""}),
        (GoldenImage("a.jpg", tags=("car", "road?")), {"tags": ["car", "road?"]}),
        (
            GoldenImage("a.jpg", objects=(DetectedObject("car", Region(0.1, 0.2, 0.3, 0.4), 1.0),)),
            {"objects": [["car", 0.1, 0.2, 0.3, 0.4]]},
        ),
        (GoldenImage("a.jpg"), {}),
    ],
)
def test_a_line_says_what_was_labelled_and_no_more(golden: GoldenImage, line: dict[str, object]) -> None:
    assert json.loads(line_of(golden)) == {"picture": golden.key, **line}
    assert list(parse_manifest(line_of(golden))) == [golden]


def test_images_are_stored_as_models_get_to_see_them(media: S3Bucket) -> None:
    upright = Image.new("RGB", (3000, 1000), (90, 120, 60))
    count = put(media, [(LABELLED, png(300, 200)), (GoldenImage("lying.jpg", ()), turned(upright, 6))])
    assert count == 2
    assert [golden.key for golden in shown(media)] == ["golden/street.jpg", "golden/lying.jpg"]
    assert (shown(media)[0].faces, shown(media)[0].text) == (LABELLED.faces, "no entry")
    street, lying = read_image(media, "golden/street.jpg"), read_image(media, "golden/lying.jpg")
    assert (street.format, street.size) == ("JPEG", (300, 200))
    assert (lying.format, lying.size) == ("JPEG", (2048, 683))  # upright, and no larger than what infer sends


def test_another_set_replaces_the_first(media: S3Bucket) -> None:
    assert shown(media) == []
    put(media, [(LABELLED, png(30, 20))])
    put(media, [(GoldenImage("other.png"), png(30, 20))])
    assert [golden.key for golden in shown(media)] == ["golden/other.jpg"]


def test_a_set_that_fails_leaves_the_one_before(media: S3Bucket) -> None:
    put(media, [(LABELLED, png(30, 20))])
    with pytest.raises(ValueError, match=r"two images for golden/a\.jpg"):
        put(media, [(GoldenImage("a.png"), png(30, 20)), (GoldenImage("a.jpg"), png(30, 20))])
    assert [golden.key for golden in shown(media)] == ["golden/street.jpg"]


@pytest.mark.slow
def test_the_command(
    media: S3Bucket, aws_environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "labelled"
    folder.mkdir()
    command = commands.local(aws_environment, tmp_path, capsys, {"MediaBucketName": media.bucket})
    (folder / "street.png").write_bytes(png(30, 20))
    (folder / "manifest.jsonl").write_text(line_of(LABELLED) + "\n" + line_of(GoldenImage("absent.png")))
    done = command.run("golden", "put", str(folder))
    assert (done.code, "absent.png" in done.err) == (1, True)
    (folder / "manifest.jsonl").write_text(line_of(LABELLED))
    assert command.run("golden", "put", str(folder), "--json").document == {"images": 1}
    assert command.run("golden", "list").out.splitlines()[0] == "golden/street.jpg  faces 1, safe, words 2"
    assert command.run("golden", "list", "--json").document["images"][0]["unsafe"] is False


def test_the_command_makes_worse_models(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models = models_folder()
    assert main(["golden", "worse", str(tmp_path / "worse"), "--models", str(models)]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "worse")
    assert (tmp_path / "worse" / "open-nsfw.onnx").read_bytes() != (models / "open-nsfw.onnx").read_bytes()
    assert main(["golden", "worse", str(tmp_path / "worse"), "--models", str(tmp_path)]) == 1


@pytest.mark.slow
def test_a_stack_on_this_machine_has_a_set_that_tells_good_models_from_bad(media: S3Bucket, tmp_path: Path) -> None:
    import skimage

    folder = Path(skimage.__file__).parent / "data"
    assert local_golden.ensure_golden_set(media, folder) == len(local_golden.label_samples()) >= 8
    assert local_golden.ensure_golden_set(media, folder) == 0  # what is there stays
    write_degraded_models(models_folder(), tmp_path)
    good, bad = (_judged(media, folder) for folder in (models_folder(), tmp_path))
    assert (good[MODERATION].false_positive_rate, bad[MODERATION].false_positive_rate) == (0.0, 1.0)
    assert good[FACES] == bad[FACES]
    assert good[FACES].recall is not None
    assert good[FACES].recall >= 0.5


def _judged(media: S3Bucket, models: Path) -> Any:
    from darkroom_analysis.models.catalogue import load_catalogue
    from darkroom_analysis.models.model_set import ModelSet

    loaded = ModelSet(load_catalogue(table_of(models)), models, [FACES, MODERATION])
    return sum_confusions(
        score_image(one, loaded.detect(pixels(read_image(media, one.key)), [FACES, MODERATION])) for one in shown(media)
    )


def test_a_folder_is_read_by_its_manifest(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"a")
    (tmp_path / "b.png").write_bytes(b"b")
    (tmp_path / "manifest.jsonl").write_text(line_of(GoldenImage("b.png")))
    assert list(read_folder(tmp_path)) == [(GoldenImage("b.png"), b"b")]


@pytest.mark.slow
def test_a_deployment_without_a_golden_set_has_not_passed(
    aws: Callable[[str], Any],
    aws_environment: dict[str, str],
    media: S3Bucket,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Neither the list nor the trend is silent about what is not measured."""
    outputs = {"MediaBucketName": media.bucket}
    command = commands.local(aws_environment, tmp_path, capsys, outputs)
    listed = command.run("golden", "list")
    assert (listed.code, listed.out.strip()) == (
        0,
        "none: no model is measured (./darkroom golden put, docs/guides/models.md)",
    )
    trend = command.run("golden", "trend")
    assert (trend.code, trend.out.strip()) == (1, "No model was evaluated in the last two weeks.")
    put(media, [(LABELLED, png(64, 64))])
    assert command.run("golden", "list").out.splitlines()[-1] == (
        "images by task: faces 1, moderation 1, text 1; not measured: objects, tags"
    )
