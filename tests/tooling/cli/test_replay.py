"""Tests of comparing two model versions: real models of two folders, and two variants of an endpoint."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from cli.models.degraded_model import write_degraded_models
from cli.replay.agreement import AGREE_WITHIN, Pair, Row, agree, figures, rows, table
from cli.replay.inputs import below, images, listed, sampled
from cli.replay.replaying import replay
from cli.replay.sides import common_tasks
from darkroom.errors import ModelUnavailable
from darkroom.findings import FACES, MODERATION, TEXT, Face, Finding, Label, Region
from darkroom.image_keys import MASTERS
from darkroom_analysis.mlops.sample import Sample
from darkroom_analysis.mlops.sample_store import SampleStore
from darkroom_pipeline.aws.s3 import S3Bucket
from tests import commands
from tests.component.aws.endpoints import NAME, Models, running
from tests.component.aws.sagemaker import found
from tests.images.detectors import models_folder
from tests.images.photographs import jpeg_photo, png_noise

_numbers = itertools.count(1)

FACE = Face(Region(0.1, 0.1, 0.4, 0.4), 0.9)
NO_FINDINGS, ONE_FINDING = Finding(FACES, "m", "1"), Finding(FACES, "m", "1", faces=(FACE,))


def fit(score: float) -> Finding:
    return Finding(MODERATION, "m", "1", labels=(Label("nsfw", score),), flagged=score >= 0.8)


def pair(first: Finding, second: Finding, took_ms: tuple[float, float] = (1.0, 1.0)) -> Pair:
    return Pair(({first.task: first}, {second.task: second}), took_ms)


@pytest.mark.parametrize(
    ("pairs", "row"),
    [
        ([pair(NO_FINDINGS, NO_FINDINGS)], Row(FACES, 1, [0.0], 1, 0, 0)),
        ([pair(ONE_FINDING, NO_FINDINGS)], Row(FACES, 1, [1.0], 0, 1, 0)),
        ([pair(NO_FINDINGS, ONE_FINDING), pair(ONE_FINDING, ONE_FINDING)], Row(FACES, 2, [1.0, 0.0], 0, 0, 1)),
        (
            [pair(replace(NO_FINDINGS, error="unreadable"), ONE_FINDING)],
            Row(FACES, 1, [], 0, 0, 1),
        ),  # without findings, not comparable
        ([pair(fit(0.1), fit(0.9))], Row(MODERATION, 1, [1.0], 0, 0, 0)),
    ],
)
def test_a_row_counts_what_each_says(pairs: list[Pair], row: Row) -> None:
    assert rows(pairs) == [row]


def test_only_tasks_of_both_are_compared() -> None:
    both = Pair(
        ({FACES: NO_FINDINGS, MODERATION: fit(0.1)}, {FACES: NO_FINDINGS, TEXT: Finding(TEXT, "m", "1")}), (1.0, 1.0)
    )
    assert [row.task for row in rows([both])] == [FACES]


@pytest.mark.parametrize(
    ("apart", "least", "agrees"),
    [
        ([0.0] * 9 + [1.0], 0.9, True),
        ([0.0] * 8 + [1.0] * 2, 0.9, False),
        ([AGREE_WITHIN], 1.0, True),
        ([AGREE_WITHIN + 0.01], 1.0, False),
        ([], 0.0, False),
    ],
)
def test_both_agree_from_a_share_of_images_on(apart: list[float], least: float, agrees: bool) -> None:
    assert agree([Row(FACES, len(apart), apart, 0, 0, 0)], least) is agrees
    worst = Row(TEXT, 1, [1.0], 0, 0, 0)
    assert not agree([Row(FACES, len(apart), apart, 0, 0, 0), worst], 0.1)  # every task counts


def test_the_report_names_both_and_their_times() -> None:
    pairs = [pair(ONE_FINDING, NO_FINDINGS, (10.0, 200.0)), pair(NO_FINDINGS, NO_FINDINGS, (20.0, 100.0))]
    head, line, first, second = table(rows(pairs), pairs, ("main", "canary"))
    assert head.split("  ")[-2:] == ["only main", "only canary"]
    assert line.split() == [FACES, "2", "50.0%", "0.500", "1", "1", "0"]
    assert (first, second) == ("main: 10 ms (median), 20 ms (95 %)", "canary: 100 ms (median), 200 ms (95 %)")
    assert figures(rows(pairs)) == {"agreement-faces": 0.5, "disagreement-faces": 0.5}


@dataclass
class FixedAnswers:
    """A version with given findings, which fails without them."""

    name: str
    finding: Finding
    calls: list[str]
    fails_at: bytes = b""

    def analyse(self, jpeg: bytes, tasks: Sequence[str]) -> tuple[dict[str, Finding], float]:
        self.calls.append(self.name)
        if jpeg == self.fails_at:
            raise ModelUnavailable(detail="down")
        return dict.fromkeys(tasks, self.finding), float(len(self.calls))


def test_both_take_turns_and_a_failure_is_no_agreement() -> None:
    calls: list[str] = []
    sides = FixedAnswers("a", ONE_FINDING, calls), FixedAnswers("b", NO_FINDINGS, calls, fails_at=b"2")
    pairs, failed = replay([b"1", b"2", b"3"], sides, [FACES])
    assert calls == ["a", "b", "b", "a", "b"]  # the other is not called for an image that one failed for
    assert (len(pairs), failed) == (2, 1)
    assert pairs[0] == Pair(({FACES: ONE_FINDING}, {FACES: NO_FINDINGS}), (1.0, 2.0))
    assert pairs[1].took_ms == (4.0, 5.0)


@pytest.fixture
def media(aws: Callable[[str], Any]) -> S3Bucket:
    bucket = f"replay-{next(_numbers)}"
    aws("s3").create_bucket(Bucket=bucket)
    return S3Bucket(aws("s3"), bucket)


def put_masters(media: S3Bucket, **bodies: bytes) -> None:
    for name, body in bodies.items():
        media.put(f"masters/trips/{name}.jpg", body, headers={}, metadata={})


def test_masters_below_a_prefix_are_read_as_infer_sends_them(media: S3Bucket) -> None:
    put_masters(media, a=jpeg_photo((3000, 2000)), b=png_noise(20, 20), broken=b"\xff\xd8\xff no image")
    found = list(below(media, "masters/trips/"))
    assert found == [f"masters/trips/{name}.jpg" for name in ("a", "b", "broken")]
    assert list(below(media, "masters/other/")) == []
    read = list(images(media, ["masters/trips/gone.jpg", *found]))
    assert len(read) == 2
    assert all(jpeg.startswith(b"\xff\xd8\xff") for jpeg in read)


@pytest.fixture
def index(aws: Callable[[str], Any]) -> str:
    """Return the name of a table."""
    name = f"replay-{next(_numbers)}"
    aws("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


@pytest.fixture
def samples(aws: Callable[[str], Any], index: str) -> SampleStore:
    slots = itertools.count()
    return SampleStore(aws("dynamodb"), index, choose=lambda _: next(slots))


def test_sampled_images_come_once_the_newest_first(samples: SampleStore) -> None:
    for at_s, key in enumerate(["a", "b é", "a", "c"]):
        samples.put(Sample(key, "etag", float(at_s), "jpeg", 1, 0.5, {}, "endpoint"))
    assert sampled(samples, MASTERS) == ["masters/c", "masters/a", "masters/b.-20.-C3A9"]


def test_a_manifest_names_images(media: S3Bucket) -> None:
    names = ["masters/a", "masters/b", "masters/a\u2028b"]
    lines = [{"source-ref": f"s3://{media.bucket}/{name}", "faces": {}} for name in names]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    media.put("train.manifest", text.encode(), headers={}, metadata={})
    assert listed(media, "train.manifest") == names


@pytest.mark.parametrize(
    "text", ['{"source-ref": "s3://elsewhere/masters/a"}', '{"source": "x"}', "[]", '"text"', "no json"]
)
def test_what_is_no_manifest_of_this_bucket_is_refused(media: S3Bucket, text: str) -> None:
    media.put("train.manifest", text.encode(), headers={}, metadata={})
    with pytest.raises(ValueError, match=r"no manifest|is not in"):
        listed(media, "train.manifest")
    with pytest.raises(ValueError, match="There is no other"):
        listed(media, "other.manifest")


@pytest.mark.slow
def test_a_worse_model_is_seen_before_it_is_released(
    media: S3Bucket, aws_environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = {"MediaBucketName": media.bucket, "MastersUri": f"s3://{media.bucket}/masters/"}
    command = commands.local(aws_environment, tmp_path, capsys, outputs)
    put_masters(media, a=jpeg_photo(), b=jpeg_photo((400, 300)))
    worse = tmp_path / "worse"
    write_degraded_models(models_folder(), worse)
    assert TEXT not in common_tasks([models_folder(), worse])  # its engine is only the endpoint's
    options = ("replay", "--below", "", "--metrics", str(tmp_path / "figures.json"))
    done = command.run(*options, "--folders", str(models_folder()), str(worse))
    assert done.code == 1
    lines = {line.split()[0]: line.split() for line in done.lines}
    assert lines[MODERATION][1:4] == ["2", "0.0%", "1.000"]
    assert lines[FACES][1:4] == ["2", "100.0%", "0.000"]
    findings = json.loads((tmp_path / "figures.json").read_text())
    assert (findings["agreement-moderation"], findings["agreement-faces"]) == (0.0, 1.0)
    assert command.run(*options, "--folders", str(models_folder()), str(models_folder())).code == 0


@pytest.fixture
def endpoint(tmp_path: Path) -> Any:
    def worse(task: str, _: bytes) -> Finding:
        return replace(found(task), flagged=True)

    with running(tmp_path, main=lambda task, _: found(task), canary=worse) as models:
        models.variants(main=1.0, canary=0.0)
        yield models


@pytest.mark.slow
def test_two_variants_are_compared_whatever_their_weights(
    media: S3Bucket,
    samples: SampleStore,
    index: str,
    endpoint: Models,
    aws_environment: dict[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    put_masters(media, a=jpeg_photo(), b=jpeg_photo((400, 300)), c=jpeg_photo((300, 300)))
    for name in "abc":
        samples.put(Sample(f"trips/{name}.jpg", "etag", 1.0, "jpeg", 1, 0.5, {}, "endpoint"))
    outputs = {
        "MediaBucketName": media.bucket,
        "MastersUri": f"s3://{media.bucket}/masters/",
        "IndexTableName": index,
        "InferEndpointName": NAME,
    }
    command = commands.local(aws_environment, tmp_path, capsys, outputs, sagemaker_url=endpoint.runtime.url)
    options = ("replay", "--limit", "2", "--variants", "main", "canary")
    done = command.run(*options)
    assert done.code == 1
    lines = {line.split()[0]: line.split() for line in done.lines}
    assert lines[MODERATION][1:4] == ["2", "0.0%", "1.000"]
    assert lines[TEXT][1:4] == ["2", "100.0%", "0.000"]
    assert [one.calls for one in endpoint.containers.values()] == [2, 2]
    found = command.run(*options, "--tasks", "faces,text", "--json").document
    assert (found["images"], found["unanswered"], found["agrees"]) == (2, 0, True)
    endpoint.containers["canary"].status = 500
    done = command.run(*options, "--tasks", "faces")
    assert (done.code, "nothing to compare" in done.err) == (1, True)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ([], 2),
        (["--variants", "a", "b", "--folders", ".", "."], 2),
        (["--variants", "a", "b", "--below", "x", "--manifest", "y"], 2),
        (["--variants", "a", "b"], 4),
        (["--folders", "/nowhere/a", "/nowhere/b"], 2),
    ],
)
def test_what_cannot_be_compared_is_reported(
    wrong: list[str], code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", *wrong, "--state-dir", str(tmp_path)]) == code
    assert len(capsys.readouterr().err.splitlines()) == 1
