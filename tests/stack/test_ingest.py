"""From the uploads bucket to the viewer on the running stack: ingest, purge, transform and the CDN."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from cli.deployment import read_local
from cli.ingest_report.outcomes import Stack as Behind
from cli.main import main
from darkroom.image_keys import encode_key
from darkroom.plan.presets import load_default_presets
from darkroom.services.caching import SOURCE_ETAG
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.record import READY, REFUSED, REMOVED, Record
from darkroom_pipeline.services.purge.stale_derivatives import derivatives_prefix
from local.aws import tool_environment
from local.event_samples import CREATED, DAMAGED, DELETED, DUPLICATE
from local.events import FOLDER
from local.paths import ROOT
from tests.announcements import SCHEMAS, complaints
from tests.component.imaging.test_master import unstructured
from tests.component.imaging.test_privacy import generated
from tests.corpus import CASES, EXPECTED
from tests.images.drawn import with_exif
from tests.images.exiftool import needs_exiftool, private_parts
from tests.images.photographs import jpeg_photo
from tests.images.rendering import alike, seen
from tests.waiting import wait_until

from .conftest import Stack
from .viewer import Viewer

PRESETS = load_default_presets().at_ingest
PREFIX = f"e2e-ingest-{secrets.token_hex(4)}/"
GAIN_MAP = frozenset({"XMP-hdrgm", "XMP-GContainer", "MPF0", "MPImage1", "MPImage2", "APP2", "Google"})
"""ExifTool's groups of a gain map's metadata."""


@dataclass(frozen=True)
class Uploader:
    """A client that uploads, with access behind the CDN."""

    behind: Behind

    def put(self, name: str, body: bytes) -> Record:
        """Upload below the prefix of these tests; return the final index record."""
        s3, key = self.behind.s3, PREFIX + name
        version = s3.put_object(Bucket=self.behind.uploads, Key=key, Body=body)["VersionId"]
        return wait_until(lambda: self._done(key, version), f"{key} is done")

    def _done(self, key: str, version_id: str) -> Record | None:
        record = self.behind.index.get(key)
        return record if record is not None and record.done and record.version_id == version_id else None

    def delete(self, record: Record) -> Record:
        """Delete an upload; return its index record afterwards."""
        self.behind.bucket("uploads").delete(record.key)
        return wait_until(lambda: self._removed(record.key), f"{record.key} is removed")

    def _removed(self, key: str) -> Record | None:
        record = self.behind.index.get(key)
        return record if record is not None and record.state == REMOVED else None

    def body(self, bucket: str, key: str) -> bytes:
        opened = self.behind.bucket(bucket).open(key)
        assert opened is not None
        return opened.body.read()

    def sources(self, key: str) -> dict[str, str]:
        """The entity tag of the master that each stored derivative was made from."""
        media = self.behind.bucket("media")
        keys = [one.key for page in media.list_pages(derivatives_prefix(key)) for one in page]
        heads = [head for head in map(media.head, keys) if head is not None]
        return {head.key.rpartition("/")[2]: head.metadata[SOURCE_ETAG] for head in heads}


@pytest.fixture(scope="module")
def uploader(stack: Stack) -> Uploader:
    return Uploader(Behind.of(read_local(stack.state)))


@pytest.fixture(scope="module")
def event_of(stack: Stack) -> Iterator[Callable[[str], dict[str, Any]]]:
    """Return the event with an id, as a rule's target receives it. All events are checked against their schemas."""
    events, sqs = create_client("events", tool_environment(stack.aws_endpoint_url)), stack.cloud.queues
    url = sqs.create_queue(QueueName="e2e-published")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(
        Name="e2e-published", EventPattern=json.dumps({"source": ["darkroom"], "detail-type": list(SCHEMAS)})
    )
    events.put_targets(Rule="e2e-published", Targets=[{"Id": "queue", "Arn": arn}])
    found: dict[str, dict[str, Any]] = {}

    def look() -> None:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        for event in (json.loads(message["Body"]) for message in answer.get("Messages", [])):
            assert complaints(event["detail-type"], event["detail"]) == []
            assert found.setdefault(event["detail"]["id"], event)["detail"] == event["detail"]

    def find(image_id: str) -> dict[str, Any]:
        return wait_until(lambda: (look(), found.get(image_id))[1], f"{image_id} is published")

    yield find
    events.remove_targets(Rule="e2e-published", Ids=["queue"])
    events.delete_rule(Name="e2e-published")
    sqs.delete_queue(QueueUrl=url)


def path_of(record: Record) -> str:
    return "/" + quote(record.key, safe="/")


@pytest.mark.smoke
def test_a_photograph_is_served_from_what_ingest_made(
    uploader: Uploader, viewer: Viewer, stack: Stack, event_of: Callable[[str], dict[str, Any]]
) -> None:
    record = uploader.put("ünï code/a+b & c.jpg", with_exif(jpeg_photo((1800, 1200)), 6))
    path = path_of(record)
    event = event_of(record.image_id)
    assert (record.state, event["detail-type"], event["detail"]["path"]) == (READY, "ImageReady", path)
    assert (event["detail"]["picture"]["width"], event["detail"]["picture"]["height"]) == (1200, 1800)
    assert list(event["detail"]["presets"]) == list(PRESETS)
    made = {url: viewer.get(url).body for url in event["detail"]["presets"].values()}
    calls = [call for call in stack.journal() if f"/{encode_key(record.key)}/_/" in call["path"]]
    assert [(call["kind"], call["status"]) for call in calls] == [("s3", 200)] * len(PRESETS)

    for name in viewer.derivatives(path):
        stack.cloud.s3.delete_object(Bucket=stack.media_bucket, Key=derivatives_prefix(record.key) + name)
    viewer.restart_cdn()
    for url, body in made.items():
        rendered = viewer.get(url).body
        assert alike(seen(body), seen(rendered)) > 0.97, url
    assert viewer.renders(path) == len(PRESETS)


@pytest.mark.slow
@pytest.mark.smoke
def test_an_overwrite_leaves_nothing_of_the_old_image(uploader: Uploader, viewer: Viewer, stack: Stack) -> None:
    first = uploader.put("twice.jpg", jpeg_photo((900, 600)))
    urls = [f"{path_of(first)}?{query}" for query in ("preset=w640", "w=480&f=jpeg", "f=thumbhash")]
    before = [viewer.get(url).body for url in urls]
    assert viewer.again(urls[0]).cache == "Hit"
    second = uploader.put("twice.jpg", jpeg_photo((600, 900)))
    assert set(uploader.sources(second.key).values()) == {second.master.etag.strip('"')} != {first.master.etag}
    assert len(uploader.sources(second.key)) == len(PRESETS)

    def all_new() -> bool:
        stack.refresh_cdn()
        return all(viewer.get(url).body != old for url, old in zip(urls, before, strict=True))

    wait_until(all_new, "the CDN serves the new image")
    assert seen(viewer.get(urls[0]).body).shape == (900, 600, 3)
    assert set(uploader.sources(second.key).values()) == {second.master.etag.strip('"')}


@pytest.mark.slow
@pytest.mark.smoke
def test_a_deletion_takes_everything_with_it(
    uploader: Uploader, viewer: Viewer, stack: Stack, event_of: Callable[[str], dict[str, Any]]
) -> None:
    record = uploader.put("gone.jpg", jpeg_photo())
    url = f"{path_of(record)}?preset=w320"
    assert viewer.get(url).status == 200
    removed = uploader.delete(record)
    assert event_of(removed.image_id)["detail-type"] == "ImageRemoved"
    assert uploader.behind.bucket("media").head(f"masters/{record.key}") is None
    assert uploader.sources(record.key) == {}

    def missing() -> bool:
        stack.refresh_cdn()
        return viewer.get(url).status == 404

    wait_until(missing, "the CDN says 404")
    assert viewer.get(url).problem["code"] == "no-source"
    assert uploader.put("gone.jpg", jpeg_photo()).state == READY


@pytest.mark.smoke
def test_what_is_damaged_is_kept_in_quarantine_with_the_reason(
    uploader: Uploader, viewer: Viewer, event_of: Callable[[str], dict[str, Any]]
) -> None:
    body = jpeg_photo()[:-5000]
    record = uploader.put("half.jpg", body)
    event = event_of(record.image_id)
    assert (record.state, event["detail-type"], event["detail"]["code"]) == (REFUSED, "ImageRefused", "damaged")
    place = event["detail"]["quarantined"]
    assert uploader.body("quarantine", place) == body == uploader.body("uploads", record.key)
    head = uploader.behind.bucket("quarantine").head(place)
    assert head is not None
    assert (head.metadata["code"], head.metadata["reason"]) == ("damaged", "The source image is damaged")
    assert (head.metadata["sha256"], head.metadata["trace-id"]) == (
        record.refusal.sha256,
        event["detail"]["trace_id"],
    )
    assert re.fullmatch(r"1-[0-9a-f]{8}-[0-9a-f]{24}", event["detail"]["trace_id"])
    assert viewer.get(f"{path_of(record)}?preset=w320").status == 404


@pytest.mark.slow
@pytest.mark.smoke
def test_the_same_bytes_are_copied(uploader: Uploader, viewer: Viewer) -> None:
    body = jpeg_photo((700, 500))
    first, second = uploader.put("one.jpg", body), uploader.put("other.jpg", body)
    assert second.same_as == first.key
    assert uploader.body("media", f"masters/{second.key}") == uploader.body("media", f"masters/{first.key}")
    assert set(uploader.sources(second.key)) == set(uploader.sources(first.key))
    uploader.delete(first)
    assert viewer.get(f"{path_of(second)}?preset=cover").status == 200
    assert viewer.renders(path_of(second)) == 0


def test_the_events_for_sam_local_invoke(uploader: Uploader, stack: Stack) -> None:
    """As the container gets them, by the deployed function."""
    index, uploads = uploader.behind.index, uploader.behind.bucket("uploads")
    assert [key for key in (CREATED, DUPLICATE, DAMAGED) if index.get(key) or not uploads.head(key)] == []
    assert (index.get(DELETED) or Record("", "", "")).state == READY
    assert uploads.head(DELETED) is None
    states = {CREATED: READY, DUPLICATE: READY, DAMAGED: REFUSED, DELETED: REMOVED}
    function = stack.functions["IngestFunction"]["name"]
    for key in states:
        event = (FOLDER / "ingest" / f"{Path(key).stem}.json").read_bytes()
        answer = stack.cloud.functions.invoke(FunctionName=function, Payload=event)
        assert json.loads(answer["Payload"].read()) == {"batchItemFailures": []}
    records = {key: index.get(key) for key in states}
    assert {key: record.state for key, record in records.items() if record is not None} == states
    assert (records[DUPLICATE] or Record("", "", "")).same_as == "samples/coffee.png"


def test_the_commands_on_the_page_about_events(stack: Stack, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "reference" / "events.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    (commands,) = (block for block in blocks if "aws events put-rule" in block)
    (tmp_path / "photo.jpg").write_bytes(jpeg_photo((300, 200)))
    script = "set -euo pipefail\n" + commands.replace("http://127.0.0.1:4566", stack.aws_endpoint_url)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=tool_environment(stack.aws_endpoint_url) | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["detail"]["key"] == "photo.jpg"


def test_a_report_complains_of_what_is_not_as_expected(
    stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, expected = tmp_path / "folder", tmp_path / "expected.json"
    (folder / "in").mkdir(parents=True)
    (folder / "in" / "good.jpg").write_bytes(jpeg_photo((400, 300)))
    (folder / "page.html").write_bytes(b"<!doctype html><p>no image")
    expected.write_text(json.dumps({"in/good.jpg": "ready", "page.html": "type-not-allowed"}))
    options = ["--prefix", f"{PREFIX}report/", "--state-dir", str(stack.state), "--expect", str(expected)]
    command = ["upload", str(folder), *options]
    assert main(command) == 0
    assert "2 uploads: 1 ready, 1 refused (1 type-not-allowed)" in capsys.readouterr().out
    expected.write_text(json.dumps({"in/good.jpg": "damaged", "page.html": "type-not-allowed", "more.jpg": "ready"}))
    assert main(command) == 1
    said = capsys.readouterr().err
    assert "in/good.jpg: expected is damaged" in said
    assert "more.jpg: expected, but not uploaded" in said


def ingest_folder(folder: Path, expect: Path, name: str, stack: Stack, uploader: Uploader, masters: Path) -> None:
    """Upload ``folder``, require the outcomes of ``expect``, and write the masters to ``masters``."""
    prefix = f"{PREFIX}{name}/"
    words = ["upload", str(folder), "--prefix", prefix, "--state-dir", str(stack.state), "--expect", str(expect)]
    assert main(words) == 0
    media = uploader.behind.bucket("media")
    for key in (one.key for page in media.list_pages(f"masters/{prefix}") for one in page):
        head = media.head(key)
        assert head is not None
        ending = head.headers["Content-Type"].partition("/")[2].partition("+")[0]
        (masters / f"{Path(key).name}.{ending}").write_bytes(uploader.body("media", key))


@pytest.fixture(scope="module")
def corpus_masters(corpus: Path, stack: Stack, uploader: Uploader, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The masters of the corpus."""
    masters = tmp_path_factory.mktemp("masters")
    ingest_folder(corpus, CASES, "corpus", stack, uploader, masters)
    return masters


def test_the_corpus_has_masters(corpus_masters: Path) -> None:
    ready = [name for name, outcome in EXPECTED.items() if outcome == "ready"]
    assert sorted(path.stem for path in corpus_masters.iterdir()) == sorted(Path(name).name for name in ready)


@needs_exiftool
def test_exiftool_finds_nothing_private_in_any_master(corpus_masters: Path) -> None:
    assert_private_parts_are_gone(corpus_masters, gain_map="ultra-hdr.jpg.jpeg")


@needs_exiftool
def test_exiftool_finds_nothing_private_in_masters_of_generated_files(
    stack: Stack, uploader: Uploader, tmp_path: Path
) -> None:
    folder, masters, expect = tmp_path / "uploads", tmp_path / "masters", tmp_path / "expect.json"
    files = {name.replace(" ", "-"): data for name, data in generated().items()}
    for each in (folder, masters):
        each.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    expect.write_text(json.dumps(dict.fromkeys(files, "ready")))
    ingest_folder(folder, expect, "generated", stack, uploader, masters)
    assert_private_parts_are_gone(masters, gain_map="gain-map.jpeg")


def assert_private_parts_are_gone(masters: Path, *, gain_map: str) -> None:
    """Fail if ExifTool finds a private part in a master; the master ``gain_map`` may have the map's own."""
    found = {name: unstructured(name, tags) for name, tags in private_parts(*masters.iterdir()).items()}
    assert len(found) == len(list(masters.iterdir())) > 20
    assert {tag.partition(":")[0] for tag in found.pop(gain_map)} <= GAIN_MAP
    assert {name: tags for name, tags in found.items() if tags} == {}
