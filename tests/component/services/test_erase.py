"""Erasure: no object of the key remains, all others do, and the report is complete."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import pytest
from botocore.exceptions import ClientError

from darkroom.errors import BadKey
from darkroom.findings import VECTOR_TASKS
from darkroom.image_keys import MASTERS, encode_key
from darkroom_analysis.mlops.sample import Sample
from darkroom_analysis.mlops.sample_store import SampleStore
from darkroom_dialects.registry import iiif_wildcard
from darkroom_pipeline.aws.audit import AuditLog, hash_key
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.cloudfront import Distribution
from darkroom_pipeline.aws.erasures import COMPLETE, DONE, FAILED, PENDING_INVALIDATION, RUNNING, ErasureTable
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.aws.record import (
    CLAIMED,
    READY,
    REFUSED,
    REMOVED,
    LargeImageRef,
    MasterRef,
    Record,
    Refusal,
    pad_sequencer,
)
from darkroom_pipeline.aws.tag_index import TagIndex
from darkroom_pipeline.aws.vectors import StoredVector
from darkroom_pipeline.aws.vectors.dynamodb import DynamoDBVectors
from darkroom_pipeline.operations.erase.service import RESERVED_S, TOMBSTONE_TIMEOUT_S, EraseService
from darkroom_pipeline.services.ingest.context import IngestOutcome
from darkroom_pipeline.services.ingest.events import read_event
from darkroom_pipeline.services.ingest.handler import TOMBSTONE_S
from darkroom_pipeline.services.ingest.quarantine import quarantine_key
from darkroom_pipeline.services.purge.consumer import REPEAT_AFTER_S
from darkroom_pipeline.services.purge.stale_derivatives import FIRST, SECOND, purge_message
from local.events import read_events
from tests.component.aws.similar import direction, make_vector_table

from .cloudfront import HeldDistribution, make_distribution
from .functions import load
from .ingest_environment import IngestEnvironment
from .purge_harness import lasting

KEY = "trips/rome.jpg"
DIGEST = sha256(b"picture").hexdigest()

_numbers = itertools.count(1)


@dataclass
class EraseEnvironment:
    """The buckets, the index and the queue of purges; and ingest, which handles S3's events while a client waits."""

    env: IngestEnvironment
    cdn: HeldDistribution
    vectors_table: str
    events_url: str
    meanwhile: list[Callable[[], Any]] = field(default_factory=list)
    waited_s: float = 0.0
    slots: Iterator[int] = field(default_factory=itertools.count)

    @property
    def service(self) -> EraseService:
        return EraseService(
            uploads=self.env.vault("uploads"),
            media=self.env.vault("media"),
            source=self.env.vault("media"),
            source_names=MASTERS,
            quarantine=self.env.vault("quarantine"),
            index=self.env.index,
            vectors=self.vectors,
            tags=self.tags,
            further={"samples": self.samples.delete},
            distribution=Distribution(self.cdn.client, self.cdn.distribution_id),
            purges=self.env.queue("purges"),
            erasures=self.erasures,
            audit=AuditLog(self.env.vault("audit")),
            observer=PowertoolsObserver("forget"),
            sleep=self.wait,
        )

    @property
    def vectors(self) -> dict[str, DynamoDBVectors]:
        client = self.env.clients["dynamodb"]
        return {task: DynamoDBVectors(client, self.vectors_table, task) for task in VECTOR_TASKS}

    @property
    def tags(self) -> TagIndex:
        return TagIndex(self.env.clients["dynamodb"], self.vectors_table)

    def searchable(self) -> list[str]:
        """The keys of all items by which images are found, with the tags of those of tags."""
        found = self.env.clients["dynamodb"].scan(TableName=self.vectors_table)
        return sorted(item["sk"]["S"] for item in found["Items"])

    @property
    def erasures(self) -> ErasureTable:
        return ErasureTable(self.env.clients["dynamodb"], self.env.names["index"])

    @property
    def samples(self) -> SampleStore:
        """Those of the function, filled one after the other."""
        table = self.env.names["index"]
        return SampleStore(self.env.clients["dynamodb"], table, choose=lambda slots: next(self.slots) * 97 % slots)

    def forget(self, key: str = KEY, remaining_s: Callable[[], float] = lasting) -> dict[str, Any]:
        return self.service.erase(key, remaining_s).to_document()

    def wait(self, seconds: float) -> None:
        """Let others work."""
        self.waited_s += seconds
        while self.meanwhile:
            self.meanwhile.pop()()
        self.ingest()

    def ingest(self, wait_s: int = 0) -> None:
        """Deal with every event that S3 has sent, and wait for the first: S3 sends it after its answer."""
        sqs, wanted = self.env.clients["sqs"], {"QueueUrl": self.events_url, "MaxNumberOfMessages": 10}
        while messages := sqs.receive_message(**wanted, WaitTimeSeconds=wait_s).get("Messages"):
            wait_s = 0
            for message in messages:
                change = read_event(message["Body"])
                if change is not None:
                    self.env.handle(change)
                sqs.delete_message(QueueUrl=self.events_url, ReceiptHandle=message["ReceiptHandle"])

    def put(self, bucket: str, *keys: str) -> None:
        """Put objects."""
        for key in keys:
            self.env.vault(bucket).put(key, b"picture", headers={}, metadata={})

    def know(self, key: str, state: str = READY, **further: Any) -> None:
        """Put an item into the index."""
        self.env.index.claim(key, "0", "token", now_s=0, lease_s=0)
        fields = {"sha256": DIGEST, "master": MasterRef(etag='"e"', sequencer=pad_sequencer("0")), **further}
        assert self.env.index.put_record(Record(key, state, pad_sequencer("0"), "token", **fields))

    def everything(self) -> dict[str, list[str]]:
        """List all objects, with versions and delete markers."""
        found = {}
        for bucket in ("uploads", "media", "quarantine"):
            answer = self.env.clients["s3"].list_object_versions(Bucket=self.env.names[bucket])
            listed = [*answer.get("Versions", []), *answer.get("DeleteMarkers", [])]
            found[bucket] = sorted(one["Key"] for one in listed)
        return found


@pytest.fixture
def case(aws: Callable[[str], Any], aws_environment: dict[str, str]) -> EraseEnvironment:
    env = IngestEnvironment.build(aws)
    bucket, number = env.names["uploads"], next(_numbers)
    url = aws("sqs").create_queue(QueueName=f"forget-events-{number}")["QueueUrl"]
    arn = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket]}}}
    aws("events").put_rule(Name=f"forget-{number}", EventPattern=json.dumps(pattern))
    aws("events").put_targets(Rule=f"forget-{number}", Targets=[{"Id": "queue", "Arn": arn}])
    aws("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    table = f"forget-vectors-{number}"
    make_vector_table(aws("dynamodb"), table)
    distribution = make_distribution(create_client("cloudfront", aws_environment))
    return EraseEnvironment(env, distribution, table, url)


def fill(case: EraseEnvironment, key: str = KEY) -> None:
    """Create traces of ``key`` in every store."""
    case.put("uploads", key, key, key)
    case.env.vault("uploads").delete(key)
    case.ingest(wait_s=2)
    case.env.index.delete(key)
    case.know(key, facts={"format": "jpeg"}, provenance={"creator": "a person"})
    name = encode_key(key)
    case.put("media", f"masters/{name}", f"held/{name}", f"findings/g1/{name}.json", f"findings/g2/{name}.json")
    case.put("media", f"manifests/{name}/_/{DIGEST}", f"manifests/{name}/_/{'0' * 64}")
    case.put(
        "media", *(f"derivatives/{name}/_/{last}" for last in ("w-320.webp", "refusal.json", "mezzanine-1280.jpg"))
    )
    case.env.judge(key, flagged=True, body=b"picture")
    for store in case.vectors.values():
        store.put(StoredVector(key, direction(1), source_etag="e", generation="1"))
    case.tags.put(key, {"bridge": 0.9, "river": 0.5}, "e")
    for etag in ("e", "f"):
        case.samples.put(Sample(key, etag, 0.0, "jpeg", 1, 0.5, {}, "endpoint"))
    case.put("quarantine", quarantine_key(key, pad_sequencer("A1")), quarantine_key(key, pad_sequencer("A2")))


def test_every_trace_is_removed_and_counted(case: EraseEnvironment) -> None:
    fill(case)
    report = case.forget()
    assert case.everything() == {"uploads": [], "media": [], "quarantine": []}
    assert case.searchable() == []
    assert case.samples.recent() == []
    assert (report["key"], report["status"], report["failed"], report["again_in_s"]) == (
        KEY,
        PENDING_INVALIDATION,
        {},
        0,
    )
    assert report["removed"] == {
        "uploads": 4,  # three versions and the user's delete marker; the erasure's own does not count
        "masters": 1,
        "held": 1,
        "derivatives": 3,
        "manifests": 2,
        "findings": 2,
        "analysis": 1,
        "embedding": 2,
        "tags": 2,
        "samples": 2,
        "quarantine": 2,
        "index": 1,
    }


def test_the_index_keeps_that_it_was_deleted_and_nothing_else(case: EraseEnvironment) -> None:
    fill(case)
    report = case.forget()
    record = case.env.record(KEY)
    assert (record.state, record.expires_at_s) == (REMOVED, int(case.env.now_s) + TOMBSTONE_S)
    assert (record.sha256, record.facts, record.provenance, record.master, record.derivatives) == (
        "",
        {},
        {},
        MasterRef(),
        (),
    )
    remains = {one["what"]: one["until"] for one in report["remains"]}
    assert "the key in the index, with the time of its deletion" in remains
    assert len(remains) == 7


@pytest.mark.slow
def test_an_image_that_is_only_similar_stays(case: EraseEnvironment) -> None:
    others = ["trips/rome.jpg2", "trips/rome.jpg/a.jpg", "trips/rome.jp", "other/trips/rome.jpg"]
    for other in others:
        fill(case, other)
    reserved = f"{KEY}/_/upload.jpg"
    case.put("quarantine", quarantine_key(reserved, pad_sequencer("A1")))
    case.put("media", "findings/g1", "findings/g1-old/z.jpg.json", "findings/g10/z.jpg.json")
    case.put("uploads", reserved)
    case.ingest(wait_s=2)
    before = case.everything()
    fill(case)
    report = case.forget()
    assert report["status"] == PENDING_INVALIDATION
    assert case.everything() == before
    assert sorted(sample.key for sample in case.samples.recent()) == sorted(2 * others)
    assert case.searchable() == sorted(
        [key for other in others for key in (other, other, other, f"bridge\n{other}", f"river\n{other}")]
    )


def test_a_key_too_long_for_a_readable_copy_is_found_all_the_same(case: EraseEnvironment) -> None:
    key = "long/" + "x" * 1000
    copy = quarantine_key(key, pad_sequencer("A1"))
    assert key not in copy
    case.put("quarantine", copy)
    assert case.forget(key)["removed"]["quarantine"] == 1
    assert case.everything()["quarantine"] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "status"),
    [
        ("ünï/ツ 100%25 #1?&+.jpg", PENDING_INVALIDATION),
        ("a/_/b.jpg", COMPLETE),  # the CDN cannot hold it
        ("/leading//twice.jpg", COMPLETE),
    ],
)
def test_any_key_of_an_upload_can_be_forgotten(case: EraseEnvironment, key: str, status: str) -> None:
    fill(case, key)
    assert case.forget(key)["status"] == status
    assert case.everything() == {"uploads": [], "media": [], "quarantine": []}


@pytest.mark.slow
def test_an_erasure_of_a_key_that_is_too_long_for_the_cdn_is_complete(case: EraseEnvironment) -> None:
    """Encoded it has 4,096 characters, which neither a path nor the name of an object can have."""
    key = "!" * 1024
    case.put("uploads", key)
    case.ingest(wait_s=2)
    assert len(case.everything()["quarantine"]) == 1
    case.env.messages("purges")
    report = replace(case.service, wildcards=[iiif_wildcard]).erase(key, lasting).to_document()
    assert {name: report[name] for name in ("status", "failed", "invalidation", "check_in_s")} == {
        "status": COMPLETE,
        "failed": {},
        "invalidation": "none",
        "check_in_s": 0,
    }
    assert case.everything() == {"uploads": [], "media": [], "quarantine": []}
    assert (case.service.check(key)["status"], case.service.check(key)["cdn"]) == (COMPLETE, DONE)
    assert case.cdn.invalidations() == []


@pytest.mark.slow
def test_a_key_that_the_index_does_not_know(case: EraseEnvironment) -> None:
    case.put("media", f"masters/{KEY}", f"derivatives/{KEY}/_/w-320.webp")
    report = case.forget()
    assert (report["status"], report["removed"]["masters"], report["removed"]["index"]) == (PENDING_INVALIDATION, 1, 0)
    assert case.everything() == {"uploads": [], "media": [], "quarantine": []}


@pytest.mark.slow
def test_a_key_that_was_never_uploaded_and_a_repetition(case: EraseEnvironment) -> None:
    for _ in range(2):
        report = case.forget()
        assert report["status"] == PENDING_INVALIDATION
        assert not any(report["removed"].values())
        assert case.everything()["uploads"] == []


def test_no_version_of_a_master_is_left_in_a_bucket_that_keeps_them(case: EraseEnvironment) -> None:
    case.env.clients["s3"].put_bucket_versioning(
        Bucket=case.env.names["media"], VersioningConfiguration={"Status": "Enabled"}
    )
    case.put("media", f"masters/{KEY}", f"masters/{KEY}", f"derivatives/{KEY}/_/w-1.webp")
    case.env.vault("media").delete(f"masters/{KEY}")
    report = case.forget()
    assert (report["removed"]["masters"], report["removed"]["derivatives"]) == (3, 1)
    assert case.everything()["media"] == []


@pytest.mark.slow
def test_other_keys_of_the_same_image_are_named_and_stay(case: EraseEnvironment) -> None:
    for key in (KEY, "copy-2.jpg", "copy-1.jpg"):
        case.know(key)
        case.put("media", f"masters/{key}")
    assert case.forget()["same_bytes"] == ["copy-1.jpg", "copy-2.jpg"]
    assert case.everything()["media"] == ["masters/copy-1.jpg", "masters/copy-2.jpg"]


@pytest.mark.slow
def test_they_are_named_for_a_refused_key_and_for_one_without_an_item(case: EraseEnvironment) -> None:
    case.know("copy.jpg")
    case.know(KEY, REFUSED, sha256="", master=MasterRef(), refusal=Refusal(sha256=DIGEST))
    assert case.forget()["same_bytes"] == ["copy.jpg"]
    case.env.vault("media").put("masters/b.jpg", b"picture", headers={}, metadata={"sha256": DIGEST})
    assert case.forget("b.jpg")["same_bytes"] == ["copy.jpg"]


def test_an_event_from_before_does_not_bring_it_back(case: EraseEnvironment) -> None:
    case.put("uploads", KEY)
    created = case.env.clients["sqs"].receive_message(QueueUrl=case.events_url, WaitTimeSeconds=2)["Messages"][0]
    change = read_event(created["Body"])
    assert change is not None
    assert case.forget()["status"] == PENDING_INVALIDATION
    assert case.env.handle(change) is IngestOutcome.DROPPED
    assert case.everything() == {"uploads": [], "media": [], "quarantine": []}


def test_an_upload_that_comes_later_is_a_new_one(case: EraseEnvironment) -> None:
    fill(case)
    case.forget()
    case.ingest()
    case.put("uploads", KEY)
    case.ingest(wait_s=2)
    assert case.env.record(KEY).state == REFUSED  # it is no image; the examination is recorded all the same


@pytest.mark.slow
def test_what_a_worker_writes_meanwhile_is_removed_too(case: EraseEnvironment) -> None:
    fill(case)
    case.meanwhile.append(lambda: case.put("media", f"masters/{KEY}", f"derivatives/{KEY}/_/w-1.webp"))
    case.meanwhile.append(lambda: case.put("quarantine", quarantine_key(KEY, pad_sequencer("A3"))))
    report = case.forget()
    assert report["status"] == PENDING_INVALIDATION
    assert case.everything() == {"uploads": [], "media": [], "quarantine": []}
    assert (report["removed"]["masters"], report["removed"]["quarantine"]) == (2, 3)


@pytest.mark.slow
def test_the_parts_of_a_large_image_that_is_being_cut_are_removed(case: EraseEnvironment) -> None:
    case.know(KEY, state=CLAIMED, large_image=LargeImageRef("s1", "t", 1))
    case.put("media", "scenes/s1/plan.json", "scenes/s1/strips/00000", "scenes/s2/plan.json")
    report = case.forget()
    assert report["removed"]["scenes"] == 2
    assert case.everything()["media"] == ["scenes/s2/plan.json"]


@pytest.mark.slow
def test_pending_ingests_are_reported_and_can_be_resumed(case: EraseEnvironment) -> None:
    fill(case)
    waits: list[float] = []
    service = case.service
    stuck = EraseService(
        **{name: getattr(service, name) for name in service.__dataclass_fields__} | {"sleep": waits.append}
    )
    report = stuck.erase(KEY, lasting).to_document()
    assert (report["status"], report["failed"]) == (FAILED, {"index": "unavailable"})
    assert report["again_in_s"] == 60
    assert sum(waits) == TOMBSTONE_TIMEOUT_S
    assert case.everything() == {"uploads": [], "media": [], "quarantine": []}
    assert case.forget()["status"] == PENDING_INVALIDATION


@pytest.mark.slow
def test_a_tombstone_from_before_does_not_count(case: EraseEnvironment) -> None:
    case.forget()
    case.waited_s = 0
    case.put("uploads", KEY)
    assert case.forget()["status"] == PENDING_INVALIDATION
    assert case.waited_s > 0


@pytest.mark.slow
def test_a_place_out_of_reach_holds_up_no_other(case: EraseEnvironment) -> None:
    fill(case)
    missing = case.env.names["quarantine"]
    case.env.names = dict(case.env.names) | {"quarantine": "no-such-bucket"}
    report = case.forget()
    assert (report["status"], report["failed"]) == (FAILED, {"quarantine": "unavailable"})
    case.env.names |= {"quarantine": missing}
    assert case.everything()["media"] == []
    report = case.forget()
    assert (report["status"], report["removed"]["quarantine"]) == (PENDING_INVALIDATION, 2)


@pytest.mark.slow
def test_a_place_that_was_out_of_reach_for_a_moment_is_no_failure(case: EraseEnvironment) -> None:
    fill(case)
    times = iter([ClientError({"Error": {"Code": "SlowDown", "Message": ""}}, "ListObjectsV2")])

    def fail_once(params: dict[str, Any], **_: Any) -> None:
        if params["Bucket"] == case.env.names["quarantine"] and (error := next(times, None)):
            raise error

    case.env.clients["s3"].meta.events.register("before-parameter-build.s3.ListObjectsV2", fail_once)
    report = case.forget()
    assert (report["status"], report["failed"], report["removed"]["quarantine"]) == (PENDING_INVALIDATION, {}, 2)
    assert next(times, None) is None


@pytest.mark.slow
def test_the_index_out_of_reach_holds_up_no_erasure(case: EraseEnvironment) -> None:
    fill(case)
    case.env.names = dict(case.env.names) | {"index": "no-such-table"}
    case.events_url = case.env.names["dead"]
    report = case.forget()
    assert report["failed"] == dict.fromkeys(("index", "analysis", "samples", "state"), "unavailable")
    assert report["status"] == FAILED
    assert case.everything() == {"uploads": [], "media": [], "quarantine": []}


@pytest.mark.slow
def test_without_time_it_reports_the_unfinished_state(case: EraseEnvironment) -> None:
    fill(case)
    report = case.forget(remaining_s=lambda: RESERVED_S - 1)
    assert report["status"] == FAILED
    assert set(report["failed"]) > {"masters", "derivatives"}


def test_the_cdn_forgets_now_and_after_renders_under_way(case: EraseEnvironment) -> None:
    report = case.forget()
    assert case.cdn.paths(report["invalidation"]) == ["/trips/rome.jpg/_/*", "/trips/rome.jpg"]
    queue = case.env.clients["sqs"].get_queue_attributes(
        QueueUrl=case.env.names["purges"], AttributeNames=["ApproximateNumberOfMessagesDelayed"]
    )
    assert queue["Attributes"]["ApproximateNumberOfMessagesDelayed"] == "1"
    assert purge_message(KEY, SECOND) not in case.env.messages("purges")
    assert REPEAT_AFTER_S == 60


@pytest.mark.slow
def test_the_state_is_that_of_the_store_and_of_the_cdn(case: EraseEnvironment) -> None:
    seen: list[object] = []
    case.meanwhile.append(lambda: seen.append(case.service.check(KEY)["status"]))
    report = case.forget()
    assert seen == [RUNNING]
    checked = case.service.check(KEY)
    assert {name: checked[name] for name in ("status", "erasure", "stored", "cdn", "invalidation")} == {
        "status": PENDING_INVALIDATION,
        "erasure": report["erasure"],
        "stored": DONE,
        "cdn": "pending",
        "invalidation": report["invalidation"],
    }
    assert case.erasures.set_cdn(KEY, report["erasure"], DONE)
    assert (case.service.check(KEY)["status"], case.service.check(KEY)["check_in_s"]) == (COMPLETE, 0)
    assert not case.erasures.set_cdn(KEY, "another", FAILED)
    assert case.service.check(KEY)["status"] == COMPLETE


def test_the_state_is_kept_without_the_key(case: EraseEnvironment) -> None:
    case.forget()
    items = case.env.clients["dynamodb"].scan(TableName=case.env.names["index"])["Items"]
    [item] = [item for item in items if item["pk"]["S"].startswith("erasure#")]
    assert item["pk"]["S"] == f"erasure#{hash_key(KEY)}"
    assert "rome" not in json.dumps(item)
    assert 34 * 86_400 < int(item["expires_at_s"]["N"]) - time.time() <= 35 * 86_400


def test_a_key_without_an_erasure_has_an_unknown_state(case: EraseEnvironment) -> None:
    assert case.service.check("never.jpg") == {"key": "never.jpg", "status": "unknown"}


@pytest.mark.slow
def test_a_path_that_the_cdn_refuses_is_a_failed_erasure(
    case: EraseEnvironment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("darkroom_pipeline.operations.erase.service.cdn_paths", lambda key, wildcards: [f"/~{key}"])
    service = case.service
    report = service.erase(KEY, lasting).to_document()
    assert (report["status"], report["failed"]) == (FAILED, {"cdn": "invalid-path"})
    assert case.service.check(KEY)["status"] == FAILED
    assert case.everything() == {"uploads": [], "media": [], "quarantine": []}
    service.observer.flush()
    assert '"ErasuresFailed"' in capsys.readouterr().out


@pytest.mark.slow
def test_a_leftover_is_a_failed_erasure_for_any_cdn_result(case: EraseEnvironment) -> None:
    names = case.env.names
    case.env.names = dict(names) | {"quarantine": "no-such-bucket"}
    report = case.forget()
    case.erasures.set_cdn(KEY, report["erasure"], DONE)
    assert case.service.check(KEY)["status"] == FAILED
    case.env.names = names
    report = case.forget()
    case.erasures.set_cdn(KEY, report["erasure"], DONE)
    assert case.service.check(KEY)["status"] == COMPLETE


@pytest.mark.slow
def test_a_purge_over_the_cdn_limit_returns_through_the_queue(case: EraseEnvironment) -> None:
    case.cdn.held["of others"] = 15
    report = case.forget()
    assert (report["status"], report["invalidation"]) == (PENDING_INVALIDATION, "queued")
    messages = [{name: one[name] for name in ("key", "pass")} for one in case.env.messages("purges")]
    assert purge_message(KEY, FIRST) in messages


@pytest.mark.parametrize("key", ["", "x" * 1025, "ü" * 513, "half \ud800"])
def test_what_no_upload_can_be_called_is_refused(case: EraseEnvironment, key: str) -> None:
    with pytest.raises(BadKey):
        case.forget(key)


@pytest.mark.slow
def test_the_log_does_not_name_what_was_forgotten(case: EraseEnvironment, capsys: pytest.CaptureFixture[str]) -> None:
    case.forget()
    (line,) = [line for line in capsys.readouterr().out.splitlines() if '"erasure finished"' in line]
    assert "rome" not in line
    assert sha256(KEY.encode()).hexdigest() in line


@pytest.mark.slow
def test_the_audit_log_names_the_actor_of_an_erasure_but_not_the_key(case: EraseEnvironment) -> None:
    case.put("media", f"masters/{KEY}")
    case.service.erase(KEY, lasting, by="ada")
    [entry] = AuditLog(case.env.vault("audit")).list_newest(10)
    assert (entry["kind"], entry["subject"], entry["by"]) == ("erasure", hash_key(KEY), "ada")
    assert (entry["facts"]["removed"]["masters"], entry["facts"]["failed"]) == (1, {})
    assert "rome" not in json.dumps(entry)


@pytest.mark.slow
def test_an_erasure_that_cannot_be_written_down_is_not_complete(case: EraseEnvironment) -> None:
    case.env.names = dict(case.env.names) | {"audit": "no-such-bucket"}
    report = case.forget()
    assert (report["status"], report["failed"]) == (FAILED, {"audit": "unavailable"})


@pytest.fixture
def lone_function(case: EraseEnvironment, aws_environment: dict[str, str]) -> Any:
    """The function, without ingest."""
    variables = {"UPLOADS_BUCKET": "uploads", "MEDIA_BUCKET": "media", "QUARANTINE_BUCKET": "quarantine"}
    variables |= {"AUDIT_BUCKET": "audit", "INDEX_TABLE": "index", "PURGE_QUEUE_URL": "purges"}
    environment = {variable: case.env.names[name] for variable, name in variables.items()}
    environment["VECTOR_TABLE"] = case.vectors_table
    return load("forget", aws_environment | environment | {"DISTRIBUTION_ID": case.cdn.distribution_id})


@pytest.fixture
def function(case: EraseEnvironment, lone_function: Any) -> Iterator[Any]:
    """The function, and ingest beside it."""
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            case.ingest()
            time.sleep(0.1)

    worker = threading.Thread(target=work)
    worker.start()
    yield lone_function
    over.set()
    worker.join()


@pytest.mark.slow
def test_the_function_reads_its_event_and_answers_the_report(case: EraseEnvironment, function: Any) -> None:
    event = read_events("forget")["key.json"]
    case.put("media", f"masters/{event['key']}")
    report = function.invoke(event)
    assert (report["key"], report["status"], report["removed"]["masters"]) == (event["key"], PENDING_INVALIDATION, 1)


@pytest.mark.slow
def test_the_function_checks_an_erasure(function: Any) -> None:
    event = read_events("forget")["key.json"]
    report = function.invoke(event)
    checked = function.invoke(event | {"check": True})
    assert (checked["status"], checked["erasure"]) == (PENDING_INVALIDATION, report["erasure"])


def test_the_function_reports_what_is_known_and_changes_nothing(case: EraseEnvironment, lone_function: Any) -> None:
    """``find`` comes beside ``check``, so that an older function does not erase."""
    event = read_events("forget")["key.json"] | {"check": True, "find": True}
    key = event["key"]
    nothing = {"key": key, "status": "unknown", "state": "", "places": [], "erasure": ""}
    assert lone_function.invoke(event) == nothing
    case.put("media", f"derivatives/{key}/_/w-320.webp", f"masters/{key}.other", f"held/{key}")
    case.put("quarantine", quarantine_key(key, pad_sequencer("0")))
    assert lone_function.invoke(event) == nothing | {"status": "known", "places": ["held", "derivatives", "quarantine"]}
    case.put("uploads", key)
    case.put("media", f"masters/{key}")
    case.know(key)
    found = lone_function.invoke(event)
    assert (found["state"], found["places"][:2]) == (READY, ["uploads", "masters"])
    assert case.env.index.get(key).state == READY  # type: ignore[union-attr]


@pytest.mark.slow
def test_an_erased_key_is_known_as_removed(case: EraseEnvironment) -> None:
    case.put("media", f"masters/{KEY}")
    case.forget()
    found = case.service.find(KEY)
    assert (found["status"], found["state"], found["places"]) == (REMOVED, REMOVED, [])
    assert found["erasure"] == PENDING_INVALIDATION


def test_a_key_of_which_only_old_versions_are_left_is_known(case: EraseEnvironment) -> None:
    case.put("uploads", KEY)
    case.env.vault("uploads").delete(KEY)
    assert case.service.find(KEY)["places"] == ["uploads"]


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (read_events("forget")["no-key.json"], 'The event is {"key": "..."}'),
        ({"key": 7}, 'The event is {"key": "..."}'),
        ({"key": ""}, "A key has 1 to 1024 bytes"),
        ({"key": "x" * 1025, "check": True}, "A key has 1 to 1024 bytes"),
    ],
)
def test_the_function_returns_what_is_wrong_with_its_event(function: Any, event: dict[str, Any], reason: str) -> None:
    """It raises nothing: Lambda would count an error, and an alarm pages for those."""
    answer = function.invoke(event)
    assert (answer["key"], answer["status"], answer["code"]) == (event.get("key"), "refused", "bad-key")
    assert answer["reason"].startswith(reason)
