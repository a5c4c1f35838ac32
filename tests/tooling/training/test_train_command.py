"""``darkroom manifests`` and ``darkroom train`` about a stack of a few resources, with the real network."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from darkroom.findings import LIKENESS, TAGS
from darkroom_analysis.mlops.manifests import split_of
from darkroom_analysis.mlops.model_registry import PENDING, ModelRegistry
from darkroom_analysis.models.catalogue import load_catalogue
from darkroom_analysis.models.model_set import ModelSet
from darkroom_pipeline.aws.audit import AuditLog
from darkroom_pipeline.aws.record import READY, REMOVED, MasterRef, Record, to_item
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.vectors import StoredVector
from darkroom_pipeline.aws.vectors.dynamodb import DynamoDBVectors
from gameday.images import CHECKED, PLAIN, STRIPED, draw_image
from tests import commands
from tests.commands import Commands, Done
from tests.component.aws.endpoints import GROUP, running
from tests.component.aws.similar import make_vector_table
from tests.images.detectors import models_folder, pixels

_numbers = itertools.count(1)
DAY = "2026-11-25"
KINDS = (STRIPED, CHECKED, PLAIN)
EACH = 30


@dataclass(frozen=True)
class Shop:
    """A stack with masters, records and the manifests of a day."""

    command: Commands
    media: S3Bucket
    audit: AuditLog
    registry: ModelRegistry
    vectors: DynamoDBVectors
    records: dict[str, Record]
    put_record: Callable[[Record], None]
    folder: Path

    def run(self, *words: object) -> Done:
        return self.command.run(*map(str, words))

    def train(self, *words: object) -> Done:
        return self.run("train", self.folder / "trained", *words, "--models", models_folder())

    def review(self, tag_of: Callable[[str], str] = lambda key: key.partition("-")[0]) -> Done:
        """Review all images by the kind in their key."""
        sheet = self.folder / "sheet.tsv"
        rows = [f"{key}\t{tag_of(key).removeprefix(PLAIN)}\n" for key in self.records]
        sheet.write_text("".join(rows))
        return self.run("manifests", "review", DAY, sheet, "--by", "ada")


@pytest.fixture
def shop(
    aws: Callable[[str], Any],
    aws_environment: dict[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Shop]:
    name = f"training-{next(_numbers)}"
    for bucket in (name, f"{name}-audit"):
        aws("s3").create_bucket(Bucket=bucket)
    aws("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    make_vector_table(aws("dynamodb"), f"{name}-vectors")
    outputs = {
        "MediaBucketName": name,
        "MastersUri": f"s3://{name}/masters/",
        "AuditBucketName": f"{name}-audit",
        "IndexTableName": name,
        "VectorTableName": f"{name}-vectors",
        "ModelGroupName": GROUP,
    }
    media = S3Bucket(aws("s3"), name)

    def put_record(record: Record) -> None:
        aws("dynamodb").put_item(TableName=name, Item=to_item(record))

    with running(tmp_path / "sagemaker") as models:
        command = commands.local(aws_environment, tmp_path, capsys, outputs, sagemaker_url=models.runtime.url)
        records = {record.key: record for record in _put_images(media, put_record)}
        lines = [json.dumps({"source-ref": f"s3://{name}/masters/{key}"}) for key in records]
        sides = {"train": [], "test": []}  # type: dict[str, list[str]]
        for line, record in zip(lines, records.values(), strict=True):
            sides[split_of(record)].append(line)
        for side, some in sides.items():
            media.put(f"watch/manifests/{DAY}/{side}.manifest", "\n".join(some).encode(), headers={}, metadata={})
        yield Shop(
            command,
            media,
            AuditLog(S3Bucket(aws("s3"), f"{name}-audit")),
            ModelRegistry(models.client("sagemaker"), GROUP),
            DynamoDBVectors(aws("dynamodb"), f"{name}-vectors", LIKENESS),
            records,
            put_record,
            tmp_path,
        )


def _put_images(media: S3Bucket, put_record: Callable[[Record], None]) -> Iterator[Record]:
    for kind in KINDS:
        for number in range(EACH):
            body, key = draw_image(kind, "command", number).body, f"{kind}-{number}.jpg"
            etag = media.put(f"masters/{key}", body, headers={}, metadata={})
            record = Record(key, READY, "1", sha256=sha256(body).hexdigest(), master=MasterRef(str(etag)))
            put_record(record)
            yield record


@pytest.mark.slow
def test_from_a_manifest_to_a_candidate(shop: Shop) -> None:
    assert shop.run("manifests", "list").lines == [f"{DAY}  test.manifest, train.manifest"]
    sheet = shop.folder / "drafted.tsv"
    assert shop.run("manifests", "sheet", DAY, sheet).lines == [f"{sheet}: 90 images"]
    assert {line.partition("\t")[0] for line in sheet.read_text().splitlines()} == shop.records.keys()
    assert shop.review().lines == [f"watch/manifests/{DAY}/reviewed.manifest: 90 images"]
    [entry] = shop.audit.list_newest(5, days=1)
    assert (entry["kind"], entry["by"], entry["facts"]) == ("override", "ada", {"images": 90})

    done = shop.train("--json", "--parent", 3)
    assert done.code == 0, done.err
    tags = done.document["tags"]
    assert set(tags) == {STRIPED, CHECKED}
    assert min(one["recall"] for one in tags.values()) >= 0.8
    assert sum(done.document["images"].values()) == 90
    [version] = shop.registry.list_versions()
    assert (version.arn, version.approval) == (done.document["arn"], PENDING)
    assert version.image == (shop.folder / "trained").as_uri()
    assert version.metrics["recall-striped"] == pytest.approx(tags[STRIPED]["recall"], abs=1e-4)
    reviewed = f"s3://{shop.media.bucket}/watch/manifests/{DAY}/reviewed.manifest"
    assert version.lineage["dataset"] == reviewed
    assert version.lineage["parent"] == "3"
    card = (shop.folder / "trained" / "card.md").read_text()
    assert reviewed in card
    assert json.loads((shop.folder / "trained" / "metrics.json").read_text()) == version.metrics

    folder = shop.folder / "trained"
    models = ModelSet(load_catalogue(folder / "models.toml"), folder, (TAGS,))
    for kind in (STRIPED, CHECKED):
        image = Image.open(io.BytesIO(draw_image(kind, "another", 1).body))
        assert kind in {label.name for label in models.detect(pixels(image), (TAGS,))[TAGS].labels}


@pytest.mark.slow
def test_stored_embeddings_are_used_if_they_are_of_the_master_and_the_model(shop: Shop) -> None:
    """Those that are not would teach the opposite."""
    shop.review()
    spec = load_catalogue(Path("endpoint/models.toml")).get(LIKENESS)
    rng = np.random.default_rng(0)
    directions = {kind: np.abs(rng.normal(size=1280)) for kind in KINDS}
    for key, record in shop.records.items():
        kind = key.partition("-")[0]
        vector = tuple((directions[kind] + 0.3 * np.abs(rng.normal(size=1280))).tolist())
        model = f"{spec.name}/{spec.version}"
        shop.vectors.put(stored_vector(key, vector, record, model))
    done = shop.train("--json")
    assert done.code == 0, done.err
    assert {one["recall"] for one in done.document["tags"].values()} == {1.0}
    for key, record in shop.records.items():
        shuffled = tuple(np.abs(rng.normal(size=1280)).tolist())
        stale = stored_vector(key, shuffled, record, f"{spec.name}/0")
        if int(record.sha256, 16) % 2:
            stale = replace(stored_vector(key, shuffled, record, f"{spec.name}/{spec.version}"), source_etag="old")
        shop.vectors.put(stale)
    done = shop.train("--json")
    assert min(one["recall"] for one in done.document["tags"].values()) >= 0.8


def stored_vector(key: str, vector: tuple[float, ...], record: Record, model: str) -> StoredVector:
    return StoredVector(key, vector, record.master.bare_etag, model=model)


@pytest.mark.slow
def test_images_that_changed_or_are_gone_are_left_out(shop: Shop) -> None:
    shop.review()
    gone, changed, broken, deleted = [f"{PLAIN}-{number}.jpg" for number in range(4)]
    shop.put_record(replace(shop.records[gone], state=REMOVED))
    shop.put_record(replace(shop.records[changed], sha256="00"))
    shop.media.put(f"masters/{broken}", b"\xff\xd8\xff no image", headers={}, metadata={})
    shop.media.delete_many([one for page in shop.media.list_pages(f"masters/{deleted}") for one in page])
    done = shop.train("--json")
    assert done.document["left_out"] == {
        "no longer stored": [gone],
        "replaced after the review": [changed],
        "not readable": [broken, deleted],
    }
    assert f"left out, replaced after the review: {changed}" in done.err


@pytest.mark.slow
def test_a_mistake_is_one_line_and_registers_nothing(shop: Shop) -> None:
    def fails(done: Done, code: int, message: str) -> None:
        assert done.code == code
        assert message in done.err
        assert len(done.err.splitlines()) == 1

    fails(shop.train(), 1, "No manifest is reviewed")
    fails(shop.train("2026-11-24"), 1, "2026-11-24 is neither a file nor a reviewed day")
    raw = shop.folder / "train.manifest"
    raw.write_bytes(shop.media.read(f"watch/manifests/{DAY}/train.manifest") or b"")
    fails(shop.train(raw), 1, f"{raw} is not reviewed")
    fails(shop.run("manifests", "sheet", "2026-11-24", shop.folder / "x"), 1, "There is no watch/manifests/2026-11-24/")
    shop.review(lambda key: STRIPED if key in (f"{PLAIN}-1.jpg", f"{PLAIN}-2.jpg") else "")
    fails(shop.train(), 1, "Too few reviewed images. striped: ")
    fails(shop.run("train", models_folder(), "--models", models_folder()), 2, "the folder of the models to start from")
    sheet = shop.folder / "wrong.tsv"
    sheet.write_text("nowhere.jpg\tdog\n")
    fails(shop.run("manifests", "review", DAY, sheet), 1, "do not have nowhere.jpg")
    assert shop.registry.list_versions() == []
    assert not (shop.folder / "trained").exists()
