"""Messages about uploads: STAT studies first, failures again, and no names in logs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote_plus

import pytest

from darkroom.aws.telemetry import LightObserver
from darkroom.errors import ObjectChanged, Unavailable
from darkroom.findings import TEXT, Finding
from darkroom_pipeline.aws.sagemaker import InferenceResult
from medical.ingest import Outcome
from medical.masters_bucket import ABANDONED_S, Masters
from medical.messages import FAILED_WAIT_S, MIN_REMAINING_S, consume, read_names
from medical.store import INCOMING, STAT
from tests.announcements import complaints

from .files import make, save
from .world import MASTERS, UID_KEY, UPLOADS, World


def body(name: str) -> str:
    """An event notification of S3, which encodes names like a form."""
    found = {"s3": {"bucket": {"name": UPLOADS}, "object": {"key": quote_plus(name, safe="/")}}}
    return json.dumps({"Records": [found]})


def event(*names: str) -> dict[str, Any]:
    return {
        "Records": [
            {"messageId": f"m{number}", "receiptHandle": f"r{number}", "body": body(name)}
            for number, name in enumerate(names)
        ]
    }


def keep(handle: str, seconds: float) -> None:
    raise AssertionError(f"{handle} is delayed by {seconds} s")


def put(world: World, name: str, **attributes: Any) -> str:
    world.s3.put_object(Bucket=UPLOADS, Key=name, Body=save(make(**attributes)))
    return name


def test_an_upload_whose_header_says_stat_is_sent_on_before_others_are_ingested(
    world: World, aws: Callable[[str], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    world.empty()
    sqs = aws("sqs")
    url = sqs.create_queue(QueueName="medical-stat")["QueueUrl"]
    routine = put(world, f"{INCOMING}routine/a b+c.dcm")
    urgent = put(world, f"{INCOMING}routine/urgent.dcm", RequestedProcedurePriority="STAT")
    stored_before: list[int] = []

    def send(message: str) -> None:
        stored_before.append(len(world.names(MASTERS)))
        sqs.send_message(QueueUrl=url, MessageBody=message)

    published: list[Outcome] = []
    ingest = replace(world.ingest, publish=published.append)
    found = consume(event(routine, urgent), ingest, LightObserver("medical_ingest"), lambda: 900.0, keep, send)
    assert found == {"batchItemFailures": []}
    assert stored_before == [0]
    assert world.names(UPLOADS) == [urgent]
    [outcome] = published
    assert complaints("MedicalImageIngested", outcome.to_event() | {"stack": "darkroom"}) == []
    [message] = sqs.receive_message(QueueUrl=url)["Messages"]
    assert list(read_names(message["Body"])) == [urgent]
    again = {"Records": [{"messageId": "1", "receiptHandle": "r1", "body": message["Body"]}]}
    consume(again, world.ingest, LightObserver("medical_ingest"), lambda: 900.0, keep)
    assert world.names(UPLOADS) == []
    assert sum(name.endswith("instance.json") for name in world.names(MASTERS)) == 2
    logged = capsys.readouterr().out
    assert logged.count('"outcome":"stored"') == 2
    assert "urgent.dcm" not in logged


@pytest.mark.slow
def test_a_failure_is_received_again_and_logged_without_the_name(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.empty()
    first, second = put(world, f"{STAT}DOE.dcm"), put(world, f"{STAT}ROE.dcm")
    failing = replace(world.ingest, masters=Masters(world.s3, "no-such-bucket"))
    delays: list[tuple[str, float]] = []

    def delay(handle: str, seconds: float) -> None:
        delays.append((handle, seconds))
        raise Unavailable

    found = consume(event(first, second), failing, LightObserver("medical_ingest"), lambda: 900.0, delay)
    assert [one["itemIdentifier"] for one in found["batchItemFailures"]] == ["m0", "m1"]
    assert delays == [("r0", FAILED_WAIT_S), ("r1", FAILED_WAIT_S)]
    assert world.names(UPLOADS) == [first, second]
    logged = capsys.readouterr().out
    assert logged.count("message failed") == 2
    assert "DOE" not in logged
    assert "no-such-bucket" not in logged


def test_nothing_is_started_without_time(world: World) -> None:
    world.empty()
    name = put(world, f"{INCOMING}routine/late.dcm")
    delays: list[tuple[str, float]] = []
    found = consume(
        event(name),
        world.ingest,
        LightObserver("medical_ingest"),
        lambda: MIN_REMAINING_S - 1,
        lambda *given: delays.append(given),
    )
    assert len(found["batchItemFailures"]) == 1
    assert delays == [("r0", 0.0)]
    assert world.names(UPLOADS) == [name]


def test_an_upload_that_is_gone_is_done(world: World) -> None:
    world.empty()
    gone = event(f"{INCOMING}routine/x.dcm")
    found = consume(gone, world.ingest, LightObserver("medical_ingest"), lambda: 900.0, keep)
    assert found == {"batchItemFailures": []}


@pytest.mark.parametrize(
    "text",
    ['{"Event": "s3:TestEvent"}', "no JSON", "[]", "[" * 100_000, body("quarantine/x.dcm")],
    ids=lambda text: text[:9],
)
def test_other_messages_name_no_upload(text: str) -> None:
    assert list(read_names(text)) == []


class Interruption:
    """Does something at the ``number``th time that the key of UIDs is read: before, or after the decode."""

    def __init__(self, number: int, act: Callable[[], object]) -> None:
        self._left, self._act = number, act

    def __call__(self) -> str:
        self._left -= 1
        if self._left == 0:
            self._act()
        return UID_KEY


@pytest.mark.parametrize("damaged", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_an_upload_that_is_replaced_during_its_ingest_is_not_lost(world: World, damaged: bool) -> None:
    world.empty()
    name, dataset = f"{INCOMING}a.dcm", make()

    def put_another(value: bytes, count: int) -> None:
        dataset.PixelData = value * count
        world.s3.put_object(Bucket=UPLOADS, Key=name, Body=save(dataset))

    whole = len(dataset.PixelData)
    put_another(b"\0", 10 if damaged else whole)
    with pytest.raises(ObjectChanged):
        replace(world.ingest, key=Interruption(2, lambda: put_another(b"\1", whole))).ingest(name)
    assert (world.names(UPLOADS), world.names(MASTERS)) == ([name], []), "as another one was refused or decoded"
    published_late = replace(world.ingest, publish=lambda _: put_another(b"\2", whole))
    first = world.read(published_late.ingest(name))
    assert world.names(UPLOADS) == [name], "it came before the older one was deleted"
    second = world.read(world.ingest.ingest(name))
    assert first.master != second.master
    assert world.names(UPLOADS) == []


class Overtaken:
    """A text detector that finds nothing, and lets another ingest go first."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act = act

    def invoke(self, *_: object) -> InferenceResult:
        self._act()
        return InferenceResult({TEXT: Finding(TEXT, "none", "1")}, "", {}, 0.0)


def test_of_overlapping_ingests_the_later_one_is_repeated(world: World) -> None:
    world.empty()
    dataset = make(Modality="US")
    slower = save(dataset)
    dataset.Modality, dataset.PixelData = "CT", bytes(len(dataset.PixelData))
    world.s3.put_object(Bucket=UPLOADS, Key=f"{INCOMING}slower.dcm", Body=slower)
    faster: list[Outcome] = []
    detector: Any = Overtaken(lambda: faster.append(world.upload(save(dataset), "faster.dcm")))
    with pytest.raises(ObjectChanged):
        replace(world.ingest, endpoint=detector).ingest(f"{INCOMING}slower.dcm")
    kept = world.read(faster[0])
    assert kept.master in world.names(MASTERS)
    assert world.names(UPLOADS) == [f"{INCOMING}slower.dcm"]
    detector = Overtaken(lambda: None)
    repeated = world.read(replace(world.ingest, endpoint=detector).ingest(f"{INCOMING}slower.dcm"))
    assert [name for name in world.names(MASTERS) if name.endswith(".tif")] == [repeated.master]


@pytest.mark.slow
def test_objects_of_an_ingest_that_ended_early_are_deleted_later(world: World) -> None:
    world.empty()
    dataset = make()
    stored = world.read(world.upload(save(dataset)))
    left = f"{stored.master.rpartition('/')[0]}/master-{'0' * 32}.tif"
    world.s3.put_object(Bucket=MASTERS, Key=left, Body=b"left")
    for age_s, is_left in ((0, True), (ABANDONED_S + 60, False)):
        masters = Masters(world.s3, MASTERS, clock=lambda age_s=age_s: time.time() + age_s)
        replace(world, ingest=replace(world.ingest, masters=masters)).upload(save(dataset))
        assert (left in world.names(MASTERS)) is is_left
        assert stored.master in world.names(MASTERS)


@pytest.mark.slow
def test_a_second_upload_replaces_the_master(world: World) -> None:
    world.empty()
    dataset = make()
    first = world.read(world.upload(save(dataset)))
    dataset.PixelData = bytes(len(dataset.PixelData))
    second = world.read(world.upload(save(dataset)))
    assert first.instance == second.instance
    assert first.master != second.master
    assert sorted(world.names(MASTERS)) == sorted([second.master, f"{second.master.rpartition('/')[0]}/instance.json"])


def test_an_upload_is_deleted_after_its_event(world: World) -> None:
    world.empty()
    dataset = make()
    dataset.PixelData = dataset.PixelData[:10]
    published: list[Outcome] = []

    def refuse(outcome: Outcome) -> None:
        published.append(outcome)
        raise Unavailable

    failing = replace(world, ingest=replace(world.ingest, publish=refuse))
    with pytest.raises(Unavailable):
        failing.upload(save(dataset))
    assert "incoming/image.dcm" in world.names(UPLOADS)
    replace(world, ingest=replace(world.ingest, publish=published.append)).ingest.ingest("incoming/image.dcm")
    first, second = published
    assert first == second
    assert complaints("MedicalImageIngested", first.to_event() | {"stack": "darkroom"}) == []
    assert "incoming/image.dcm" not in world.names(UPLOADS)
