"""The purge queue: S3 first, then the CDN in batches, in two passes; failures are retried."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from darkroom.aws.erasures import COMPLETE, DONE, FAILED, PENDING_INVALIDATION, new_erasure_id
from darkroom.dialects.registry import iiif_wildcard
from darkroom.services.purge.consumer import CDN_TIME_S, MAX_DEFERRALS, REPEAT_AFTER_S
from darkroom.services.purge.messages import CONFIRM, FIRST, SECOND, purge_message
from darkroom.services.purge.stale_derivatives import PAGE_TIME_S
from darkroom.services.queue_consumer import MAX_WAIT_S, backoff_s
from tests.odd_keys import odd_keys
from tools.events.purge import events

from .cloudfront import LIMIT
from .functions import load
from .purge_harness import MAX_RECEIVES, PurgeEnvironment, lasting


@pytest.fixture
def site(aws_environment: dict[str, str]) -> PurgeEnvironment:
    return PurgeEnvironment.build(aws_environment)


def bodies(records: list[dict[str, Any]]) -> list[dict[str, object]]:
    return [json.loads(record["body"]) for record in records]


def test_the_store_is_purged_before_the_cdn_requests_again(site: PurgeEnvironment) -> None:
    site.derivative("a.jpg", "w-320.webp")
    stored: list[int] = []
    site.cdn.client.meta.events.register(
        "before-call.cloudfront.CreateInvalidation", lambda **_: stored.append(len(site.keys()))
    )
    site.queue.send(purge_message("a.jpg"))
    assert site.purging().run(site.receive(), lasting) == []
    assert stored == [0]
    assert site.cdn.invalidations() == [["/a.jpg/_/*", "/a.jpg"]]


@pytest.mark.parametrize(
    ("key", "path"),
    [("ünï/a b.jpg", "/.-C3BCn.-C3AF/a.-20b.jpg"), ("a*~.jpg", "/a.-2A.-7E.jpg"), ("50%25+.jpg", "/50.-2525.-2B.jpg")],
)
def test_paths_are_spelled_as_canonical_ones(site: PurgeEnvironment, key: str, path: str) -> None:
    site.queue.send(purge_message(key))
    assert site.purging().run(site.receive(), lasting) == []
    assert site.cdn.invalidations() == [[f"{path}/_/*", path]]


def test_a_purge_comes_once_more_after_a_minute(site: PurgeEnvironment) -> None:
    site.queue.send(purge_message("a.jpg"))
    records = site.receive()
    site.done(records, site.purging(repeat_after_s=REPEAT_AFTER_S).run(records, lasting))
    assert (site.count(""), site.count("Delayed")) == (0, 1)


def test_the_second_pass_clears_what_a_render_left_and_is_the_last(site: PurgeEnvironment) -> None:
    site.queue.send(purge_message("a.jpg"))
    records = site.receive()
    site.done(records, site.purging().run(records, lasting))
    site.derivative("a.jpg", "w-320.webp", '"of the master before"')
    records = site.receive()
    assert bodies(records) == [purge_message("a.jpg", SECOND)]
    site.done(records, site.purging().run(records, lasting))
    assert site.keys() == []
    assert len(site.cdn.invalidations()) == 2
    assert (site.count(""), site.count("Delayed"), site.count("NotVisible")) == (0, 0, 0)


def test_one_invalidation_for_a_batch_and_each_key_once(site: PurgeEnvironment) -> None:
    for key in ("a.jpg", "b.jpg", "a.jpg"):
        site.queue.send(purge_message(key))
    site.queue.send(purge_message("b.jpg", SECOND))
    records = site.receive()
    assert len(records) == 4
    site.done(records, site.purging().run(records, lasting))
    made = site.cdn.invalidations()
    assert [sorted(paths) for paths in made] == [["/a.jpg", "/a.jpg/_/*", "/b.jpg", "/b.jpg/_/*"]]
    follow = bodies(site.receive())
    assert sorted(follow, key=str) == [purge_message("a.jpg", SECOND), purge_message("b.jpg", SECOND)]


def test_iiif_has_a_prefix_of_each_image_and_counts_with_the_cdns_limit(site: PurgeEnvironment) -> None:
    keys = [f"trip/{number} ä.jpg" for number in range(20)]
    site.queue.send_many(purge_message(key, SECOND) for key in keys)
    while records := site.receive():
        failed = site.purging(wildcards=[iiif_wildcard]).run(records, lasting)
        assert failed == []
        site.done(records, failed)
        site.cdn.let_go()
    paths = {path for made in site.cdn.invalidations() for path in made}
    assert "/iiif/3/trip.-252F7.-2520.-25C3.-25A4.jpg/*" in paths
    assert len(paths) == 3 * len(keys)
    assert site.cdn.peak <= LIMIT - 1


def test_a_retry_does_not_pay_twice_and_a_new_order_does(site: PurgeEnvironment) -> None:
    site.queue.send(purge_message("a.jpg", SECOND))
    records = site.receive()
    assert site.purging().run(records, lasting) == []
    assert site.purging().run(records, lasting) == []
    assert len(site.cdn.invalidations()) == 1
    site.done(records)
    site.queue.send(purge_message("a.jpg", SECOND))
    assert site.purging().run(site.receive(), lasting) == []
    assert len(site.cdn.invalidations()) == 2


def test_forty_keys_at_once_keep_within_the_cdns_limit(site: PurgeEnvironment) -> None:
    keys = [f"photo-{number}.jpg" for number in range(40)]
    for key in keys:
        site.derivative(key, "w-320.webp")
    site.queue.send_many(purge_message(key) for key in keys)
    rounds = 0
    while records := site.receive():
        failed = site.purging().run(records, lasting)
        assert failed == []
        site.done(records, failed)
        rounds += 1
        if rounds % 3 == 0:
            site.cdn.let_go()
    assert site.keys() == []
    assert (site.cdn.refused, site.cdn.peak) == (0, LIMIT - 1)
    paths = [path for made in site.cdn.invalidations() for path in made if path.endswith("*")]
    assert sorted(paths) == sorted(2 * [f"/{key}/_/*" for key in keys])


def test_a_purge_over_the_cdn_limit_is_sent_again_with_a_new_receive_count(site: PurgeEnvironment) -> None:
    for number in range(3):
        site.queue.send(purge_message(f"{number}.jpg"))
    records = site.receive()
    site.cdn.client.create_invalidation(
        DistributionId=site.cdn.distribution_id,
        InvalidationBatch={
            "Paths": {"Quantity": 13, "Items": [f"/by-hand-{number}/*" for number in range(13)]},
            "CallerReference": "by hand",
        },
    )
    site.done(records, site.purging().run(records, lasting))
    assert [len(paths) for paths in site.cdn.invalidations()] == [13, 2]
    waiting = site.receive()
    assert len([body for body in bodies(waiting) if body["pass"] == SECOND]) == 1
    assert len([body for body in bodies(waiting) if body["pass"] != SECOND]) == 2
    assert {record["attributes"]["ApproximateReceiveCount"] for record in waiting} == {"1"}


def test_a_cdn_at_its_limit_is_not_called(site: PurgeEnvironment) -> None:
    site.queue.send_many(purge_message(f"{number}.jpg") for number in range(3))
    site.cdn.client.create_invalidation(
        DistributionId=site.cdn.distribution_id,
        InvalidationBatch={
            "Paths": {"Quantity": LIMIT, "Items": [f"/by-hand-{number}/*" for number in range(LIMIT)]},
            "CallerReference": "by hand",
        },
    )
    assert site.purging().run(site.receive(), lasting) == []
    assert (site.cdn.refused, len(site.cdn.invalidations())) == (0, 1)


def refuse(site: PurgeEnvironment, refused: list[str]) -> None:
    """Make CloudFront refuse paths that begin with one of ``refused``, and with them their batch."""

    def fail(params: dict[str, Any], **_: Any) -> None:
        if any(path.startswith(tuple(refused)) for path in params["InvalidationBatch"]["Paths"]["Items"]):
            error = {"Error": {"Code": "InvalidArgument", "Message": "invalid invalidation paths"}}
            raise ClientError(error, "CreateInvalidation")  # type: ignore[arg-type]

    site.cdn.client.meta.events.register_first("before-parameter-build.cloudfront.CreateInvalidation", fail)


def test_a_path_that_the_cdn_refuses_goes_to_the_dlq_and_delays_no_other(site: PurgeEnvironment) -> None:
    refuse(site, ["/bad"])
    keys = [f"{number}.jpg" for number in range(9)]
    site.queue.send_many(purge_message(key) for key in [*keys[:4], "bad.jpg", *keys[4:]])
    records = site.receive()
    failed = site.purging().run(records, lasting)
    assert failed == []
    site.done(records, failed)
    paths = sorted(path for made in site.cdn.invalidations() for path in made)
    assert paths == sorted(path for key in keys for path in (f"/{key}", f"/{key}/_/*"))
    (letter,) = site.buried()
    assert json.loads(letter["body"]) == purge_message("bad.jpg")
    assert letter["code"] == "invalid-path"
    assert "/bad.jpg/_/*" in letter["cause"]
    assert "InvalidArgument" in letter["cause"]
    assert sorted(bodies(site.receive()), key=str) == [purge_message(key, SECOND) for key in keys]


def test_cloudfront_refuses_the_path_of_no_odd_key(site: PurgeEnvironment) -> None:
    keys = odd_keys()
    site.queue.send_many(purge_message(key, SECOND) for key in keys)
    while records := site.receive():
        failed = site.purging(wildcards=[iiif_wildcard]).run(records, lasting)
        assert failed == []
        site.done(records, failed)
        site.cdn.let_go(len(site.cdn.held))
    assert site.buried() == []
    paths = [path for made in site.cdn.invalidations() for path in made]
    assert len(set(paths)) == 3 * len(keys)
    assert [path for path in paths if not re.fullmatch(r"[A-Za-z0-9/._-]+\*?", path)] == []


def test_a_refused_key_is_found_among_halves_that_fail_otherwise(site: PurgeEnvironment) -> None:
    refuse(site, ["/bad"])
    site.queue.send_many(purge_message(key) for key in ("a.jpg", "b.jpg", "bad.jpg", "c.jpg"))
    records = sorted(site.receive(), key=lambda record: record["body"])
    fail_first_half = iter([True])

    def fail(**_: Any) -> None:
        if next(fail_first_half, False):
            raise ZeroDivisionError

    site.cdn.client.meta.events.register_last("before-parameter-build.cloudfront.CreateInvalidation", fail)
    failed = site.purging().run(records, lasting)
    assert failed == [record["messageId"] for record in records[:2]]
    assert [letter["code"] for letter in site.buried()] == ["invalid-path"]
    assert site.cdn.invalidations() == [["/c.jpg/_/*", "/c.jpg"]]


def test_a_refused_key_that_cannot_be_sent_to_the_dlq_is_retried(site: PurgeEnvironment) -> None:
    refuse(site, ["/bad"])
    site.sqs.delete_queue(QueueUrl=site.dead_letters.url)
    site.queue.send_many(purge_message(key) for key in ("a.jpg", "bad.jpg"))
    records = site.receive()
    assert site.purging().run(records, lasting) == [
        record["messageId"] for record in records if "bad" in record["body"]
    ]


def test_a_purge_waits_for_the_cdn_as_often_as_it_may(site: PurgeEnvironment) -> None:
    site.cdn.held["of others"] = LIMIT
    site.queue.send(purge_message("a.jpg", deferrals=MAX_DEFERRALS - 1))
    records = site.receive()
    site.done(records, site.purging().run(records, lasting))
    (record,) = site.receive()
    assert json.loads(record["body"]) == purge_message("a.jpg", deferrals=MAX_DEFERRALS)
    assert site.purging().run([record], lasting) == []
    (letter,) = site.buried()
    assert json.loads(letter["body"]) == purge_message("a.jpg")
    assert letter["cause"] == f"deferred {MAX_DEFERRALS} times"
    assert site.receive() == []


def status(site: PurgeEnvironment, key: str = "a.jpg") -> str:
    """The state of the erasure of ``key``."""
    found = site.erasures.get(key)
    assert found is not None
    return found.status


def erase(site: PurgeEnvironment, key: str = "a.jpg", number: int = FIRST, now_s: float = 1_800_000_000.0) -> str:
    """Erase the stored objects of ``key`` and queue its purge; return the erasure's id."""
    erasure = new_erasure_id(now_s)
    site.erasures.begin(key, erasure)
    assert site.erasures.set_stored(key, erasure, DONE)
    site.queue.send(purge_message(key, number, erasure=erasure))
    return erasure


def work_off(site: PurgeEnvironment, **further: Any) -> list[dict[str, object]]:
    """Handle the messages of the queue; return their bodies."""
    records = site.receive()
    failed = site.purging(**further).run(records, lasting)
    site.done(records, failed)
    return bodies(records)


def test_an_erasure_is_complete_when_the_cdn_has_completed_the_second_pass(site: PurgeEnvironment) -> None:
    erasure = erase(site)
    assert [body["pass"] for body in work_off(site)] == [FIRST]
    assert [body["pass"] for body in work_off(site)] == [SECOND]
    assert status(site) == PENDING_INVALIDATION
    [body] = work_off(site)
    assert (body["pass"], body["erasure"]) == (CONFIRM, erasure)
    assert status(site) == PENDING_INVALIDATION
    site.cdn.let_go(2)
    [body] = work_off(site)
    assert (body["pass"], body["deferrals"]) == (CONFIRM, 1)
    assert status(site) == COMPLETE
    assert work_off(site) == []
    assert len(site.cdn.invalidations()) == 2


UNSERVABLE = ["!" * 1024, "é" * 512, "a/_/b.jpg"]


@pytest.mark.parametrize("key", UNSERVABLE)
def test_a_key_that_the_cdn_cannot_hold_is_purged_without_it(site: PurgeEnvironment, key: str) -> None:
    erase(site, key)
    site.queue.send(purge_message("other.jpg", SECOND))
    assert len(work_off(site, wildcards=[iiif_wildcard])) == 2
    assert status(site, key) == COMPLETE
    assert work_off(site) == []
    assert [path for made in site.cdn.invalidations() for path in made if "other" not in path] == []


@pytest.mark.parametrize("key", UNSERVABLE)
def test_a_purge_of_a_key_too_long_for_the_cdn_is_no_dlq_message(site: PurgeEnvironment, key: str) -> None:
    site.queue.send(purge_message(key))
    assert len(work_off(site)) == 1
    assert (site.buried(), work_off(site), site.cdn.invalidations()) == ([], [], [])


def test_a_confirmation_of_an_earlier_erasure_completes_no_later_one(site: PurgeEnvironment) -> None:
    erase(site, number=SECOND)
    work_off(site)
    erasure = new_erasure_id(1_800_000_001.0)
    site.erasures.begin("a.jpg", erasure)
    site.erasures.set_stored("a.jpg", erasure, DONE)
    site.cdn.let_go()
    assert [body["pass"] for body in work_off(site)] == [CONFIRM]
    assert status(site) == PENDING_INVALIDATION


def test_purges_in_one_batch_belong_to_the_newest_erasure(site: PurgeEnvironment) -> None:
    erase(site, number=SECOND)
    newer = erase(site, number=SECOND, now_s=1_800_000_060.0)
    site.queue.send(purge_message("a.jpg", SECOND))
    work_off(site)
    site.cdn.let_go()
    [body] = work_off(site)
    assert (body["pass"], body["erasure"]) == (CONFIRM, newer)
    assert status(site) == COMPLETE


def test_an_erasure_that_the_cdn_refuses_has_failed_until_it_is_redriven(site: PurgeEnvironment) -> None:
    erase(site, number=SECOND)
    refused = ["/a.jpg"]
    refuse(site, refused)
    work_off(site)
    assert status(site) == FAILED
    (letter,) = site.buried()
    refused.clear()
    site.queue.send_text(letter["body"])
    work_off(site)
    site.cdn.let_go()
    work_off(site)
    assert status(site) == COMPLETE


def test_the_age_of_the_oldest_erasure_is_measured(site: PurgeEnvironment, capsys: pytest.CaptureFixture[str]) -> None:
    erase(site, "a.jpg")
    erase(site, "b.jpg", now_s=1_800_000_030.0)
    purging = site.purging(clock=lambda: 1_800_000_100.0)
    purging.run(site.receive(), lasting)
    purging.observer.flush()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["ErasurePendingSeconds"] for line in lines if "ErasurePendingSeconds" in line] in ([100.0], [[100.0]])


def test_all_messages_of_a_key_that_fails_come_again(site: PurgeEnvironment) -> None:
    site.media = type(site.media)(site.s3, "no-such-bucket")
    for number in (1, SECOND):
        site.queue.send(purge_message("a.jpg", number))
    records = site.receive()
    assert sorted(site.purging().run(records, lasting)) == sorted(record["messageId"] for record in records)


def test_capacity_used_up_meanwhile_is_no_failure(site: PurgeEnvironment) -> None:
    site.queue.send(purge_message("a.jpg"))
    records = site.receive()
    site.cdn.client.meta.events.register_first(
        "before-parameter-build.cloudfront.CreateInvalidation", lambda **_: site.cdn.held.update(other=LIMIT)
    )
    assert site.purging().run(records, lasting) == []
    assert site.cdn.refused == 1
    site.done(records)
    assert bodies(site.receive()) == [purge_message("a.jpg", deferrals=1)]


def test_one_key_that_fails_does_not_hold_up_the_others(site: PurgeEnvironment) -> None:
    def fail(params: dict[str, Any], **_: Any) -> None:
        if params["Prefix"] == "derivatives/bad.jpg/_/":
            raise ClientError({"Error": {"Code": "SlowDown", "Message": ""}}, "ListObjectsV2")

    site.s3.meta.events.register("before-parameter-build.s3.ListObjectsV2", fail)
    for key in ("good.jpg", "bad.jpg", "fine.jpg"):
        site.queue.send(purge_message(key))
    records = site.receive()
    failed = site.purging().run(records, lasting)
    bad = [record["messageId"] for record in records if "bad" in record["body"]]
    assert failed == bad
    assert len(site.cdn.invalidations()[0]) == 4


def test_a_cdn_that_does_not_answer_leaves_every_message(site: PurgeEnvironment) -> None:
    site.cdn.client.delete_distribution(
        Id=site.cdn.distribution_id, IfMatch=_disabled(site.cdn.client, site.cdn.distribution_id)
    )
    for key in ("a.jpg", "b.jpg"):
        site.queue.send(purge_message(key))
    records = site.receive()
    assert sorted(site.purging().run(records, lasting)) == sorted(record["messageId"] for record in records)
    assert (site.count(""), site.count("NotVisible")) == (0, 2)


def _disabled(client: Any, distribution_id: str) -> str:
    found = client.get_distribution_config(Id=distribution_id)
    config = found["DistributionConfig"] | {"Enabled": False}
    answer = client.update_distribution(Id=distribution_id, IfMatch=found["ETag"], DistributionConfig=config)
    return str(answer["ETag"])


def test_a_failed_message_waits_longer_each_time(site: PurgeEnvironment) -> None:
    site.media = type(site.media)(site.s3, "no-such-bucket")
    hidden: list[int] = []
    site.sqs.meta.events.register(
        "provide-client-params.sqs.ChangeMessageVisibility",
        lambda params, **_: hidden.append(params["VisibilityTimeout"]),
    )
    site.queue.send(purge_message("a.jpg"))
    for record in site.receive():
        for receives in (1, 2, 5, 19):
            record["attributes"]["ApproximateReceiveCount"] = str(receives)
            assert site.purging().run([record], lasting) == [record["messageId"]]
    assert hidden == [15, 30, 240, MAX_WAIT_S]
    assert hidden == [backoff_s(receives) for receives in (1, 2, 5, 19)]
    assert site.buried() == []


def test_the_last_failure_sends_a_message_to_the_dlq_with_its_cause(site: PurgeEnvironment) -> None:
    site.media = type(site.media)(site.s3, "no-such-bucket")
    site.queue.send(purge_message("a.jpg", SECOND))
    (record,) = site.receive()
    record["attributes"]["ApproximateReceiveCount"] = str(MAX_RECEIVES)
    assert site.purging().run([record], lasting) == []
    (letter,) = site.buried()
    assert json.loads(letter["body"]) == purge_message("a.jpg", SECOND)
    assert (letter["code"], letter["attempts"]) == ("unavailable", str(MAX_RECEIVES))
    assert letter["cause"].startswith("list derivatives/a.jpg/_/: NoSuchBucket")


def test_a_redriven_message_is_marked_when_it_fails_again(site: PurgeEnvironment) -> None:
    site.media = type(site.media)(site.s3, "no-such-bucket")
    site.queue.send(purge_message("a.jpg", SECOND))
    site.queue.send(purge_message("a.jpg", SECOND))
    records = site.receive()
    for record in records:
        record["attributes"]["ApproximateReceiveCount"] = str(MAX_RECEIVES)
    records[1]["messageAttributes"] = {"redriven": {"stringValue": "2026-11-25T12:00:00+00:00", "dataType": "String"}}
    site.purging().run(records, lasting)
    (letter,) = site.buried()
    assert letter["redriven"] == "2026-11-25T12:00:00+00:00"


def test_a_defect_is_retried_like_a_fault_and_logged_with_its_traceback(site: PurgeEnvironment) -> None:
    def fail(**_: Any) -> None:
        raise ZeroDivisionError

    site.s3.meta.events.register("before-parameter-build.s3.ListObjectsV2", fail)
    site.queue.send(purge_message("a.jpg"))
    (record,) = site.receive()
    assert site.purging().run([record], lasting) == [record["messageId"]]
    record["attributes"]["ApproximateReceiveCount"] = str(MAX_RECEIVES)
    assert site.purging().run([record], lasting) == []
    (letter,) = site.buried()
    assert letter["code"] == "defect"
    assert letter["cause"].rstrip().endswith("ZeroDivisionError")


def test_a_message_that_cannot_be_sent_to_the_dlq_is_left_to_sqs(site: PurgeEnvironment) -> None:
    site.media = type(site.media)(site.s3, "no-such-bucket")
    site.sqs.delete_queue(QueueUrl=site.dead_letters.url)
    site.queue.send(purge_message("a.jpg"))
    (record,) = site.receive()
    record["attributes"]["ApproximateReceiveCount"] = str(MAX_RECEIVES)
    unreadable = record | {"messageId": "unreadable", "body": "no order"}
    assert site.purging().run([record, unreadable], lasting) == ["unreadable", record["messageId"]]


def test_a_message_is_not_done_before_the_next_pass_is_sent(site: PurgeEnvironment) -> None:
    site.queue.send(purge_message("a.jpg"))
    records = site.receive()

    def fail(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "ServiceUnavailable", "Message": ""}}, "SendMessage")

    site.sqs.meta.events.register("before-parameter-build.sqs.SendMessage", fail)
    assert site.purging().run(records, lasting) == [records[0]["messageId"]]


@pytest.mark.parametrize(
    "body",
    [
        "no JSON",
        "[]",
        "{}",
        '{"key": "a.jpg"}',
        '{"key": "", "pass": 1}',
        '{"key": 5, "pass": 1}',
        '{"key": "a.jpg", "pass": 3}',
        '{"key": "a.jpg", "pass": 3, "erasure": "1-a"}',
        '{"key": "a.jpg", "pass": 4}',
        '{"key": "\\ud800", "pass": 1}',
        '{"key": "a.jpg", "pass": 1, "place": {"after": "x"}}',
    ],
)
def test_an_invalid_message_alone_goes_to_the_dlq(site: PurgeEnvironment, body: str) -> None:
    records = [
        {"messageId": "bad", "receiptHandle": "none", "body": body, "attributes": {}},
        {"messageId": "good", "receiptHandle": "none", "body": '{"key": "a.jpg", "pass": 2}', "attributes": {}},
    ]
    assert site.purging().run(records, lasting) == []
    assert len(site.cdn.invalidations()) == 1
    (letter,) = site.buried()
    assert (letter["body"], letter["code"]) == (body, "bad-upload")


def test_orders_count_by_how_they_ended(site: PurgeEnvironment, capsys: pytest.CaptureFixture[str]) -> None:
    site.derivative("a.jpg", "w-320.webp")
    records = [
        {"messageId": str(number), "receiptHandle": "none", "body": body, "attributes": {}}
        for number, body in enumerate(['{"key": "a.jpg", "pass": 2}', "no order", '{"key": "b.jpg", "pass": 2}'])
    ]
    purging = site.purging()
    site.cdn.client.meta.events.register("before-call.cloudfront.CreateInvalidation", _unless_called_before())
    assert purging.run(records[:2], lasting) == ["0"]
    assert purging.run(records[2:], lasting) == []
    purging.observer.flush()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    counted = {
        (name, line.get("code", "")): sum(line[name])
        for line in lines
        for name in ("Requests", "Faults", "ClientErrors", "Errors")
        if name in line
    }
    assert counted == {
        ("Requests", ""): 3,
        ("Faults", ""): 1,
        ("ClientErrors", ""): 1,
        ("Errors", "defect"): 1,
        ("Errors", "bad-upload"): 1,
    }


def _unless_called_before() -> Any:
    calls: list[None] = []

    def fail(**_: Any) -> None:
        calls.append(None)
        if len(calls) == 1:
            raise ZeroDivisionError

    return fail


def test_without_time_a_key_is_put_back_untouched(site: PurgeEnvironment) -> None:
    site.derivative("a.jpg", "w-320.webp")
    site.queue.send(purge_message("a.jpg", SECOND))
    records = site.receive()
    assert site.purging().run(records, lambda: PAGE_TIME_S + CDN_TIME_S - 1) == []
    site.done(records)
    assert bodies(site.receive()) == [purge_message("a.jpg", SECOND, deferrals=1)]
    assert len(site.keys()) == 1
    assert site.cdn.invalidations() == []


def test_what_time_was_too_short_for_is_put_back_and_taken_up_where_it_stopped(site: PurgeEnvironment) -> None:
    names = sorted(f"w-{width}.webp" for width in range(1100))
    etag = site.master("a.jpg")
    site.derivatives("a.jpg", names[:1000], etag)
    site.derivatives("a.jpg", names[1000:], '"old"')
    site.queue.send(purge_message("a.jpg"))
    records = site.receive()
    times = iter([900.0, 900.0, CDN_TIME_S])
    assert site.purging().run(records, lambda: next(times)) == []
    site.done(records)
    assert site.cdn.invalidations() == []
    again = site.receive()
    assert bodies(again)[0]["place"] == {"master": etag.strip('"'), "after": f"derivatives/a.jpg/_/{names[999]}"}
    heads: list[str] = []
    site.s3.meta.events.register("provide-client-params.s3.HeadObject", lambda params, **_: heads.append(params["Key"]))
    assert site.purging().run(again, lasting) == []
    assert len([key for key in heads if key.startswith("derivatives/")]) == 100
    assert len(site.keys()) == 1000
    assert len(site.cdn.invalidations()) == 1
    site.done(again)
    assert bodies(site.receive()) == [purge_message("a.jpg", SECOND)]


def test_not_one_page_in_a_whole_invocation_is_a_failure(site: PurgeEnvironment) -> None:
    site.derivative("a.jpg", "w-320.webp", site.master("a.jpg"))
    site.queue.send(purge_message("a.jpg"))
    records = site.receive()
    times = iter([900.0, CDN_TIME_S])
    assert site.purging().run(records, lambda: next(times)) == [records[0]["messageId"]]


def test_a_purge_of_nothing_is_no_work(site: PurgeEnvironment) -> None:
    assert site.purging().run([], lasting) == []
    assert site.cdn.invalidations() == []


def function(site: PurgeEnvironment, environment: dict[str, str], **more: str) -> Any:
    """The function on the site."""
    variables = {
        "MEDIA_BUCKET": site.media.bucket,
        "DISTRIBUTION_ID": site.cdn.distribution_id,
        "PURGE_QUEUE_URL": site.queue.url,
        "PURGE_DLQ_URL": site.dead_letters.url,
        "INDEX_TABLE": site.index,
        "MAX_RECEIVES": str(MAX_RECEIVES),
    }
    return load("purge", environment | variables | more)


@pytest.mark.parametrize(("dialects", "paths"), [("on", 3), ("off", 2)])
def test_paths_of_iiif_are_purged_where_there_are_dialects_whatever_the_settings(
    site: PurgeEnvironment, aws_environment: dict[str, str], dialects: str, paths: int
) -> None:
    """Without a document IIIF is off; earlier cache entries may still exist."""
    site.queue.send(purge_message("a.jpg"))
    records = site.receive()
    purge = function(site, aws_environment, DIALECTS=dialects)
    assert purge.invoke({"Records": records}) == {"batchItemFailures": []}
    [made] = site.cdn.client.list_invalidations(DistributionId=site.cdn.distribution_id)["InvalidationList"]["Items"]
    assert len(site.cdn.paths(made["Id"])) == paths


INVALIDATED = {"first-pass.json": 1, "second-pass.json": 1, "two-keys.json": 2, "unreadable.json": 0}


@pytest.mark.parametrize("name", INVALIDATED)
def test_the_outcome_of_an_event_is_that_of_its_name(
    site: PurgeEnvironment, aws_environment: dict[str, str], name: str
) -> None:
    assert function(site, aws_environment).invoke(events()[name]) == {"batchItemFailures": []}
    assert [path for made in site.cdn.invalidations() for path in made if path.endswith("*")] == [
        "/samples/coffee.png/_/*",
        "/no/such/photo.jpg/_/*",
    ][: INVALIDATED[name]]
    assert len(site.buried()) == (name == "unreadable.json")


def test_every_event_of_the_function_is_tried() -> None:
    assert set(INVALIDATED) == set(events())


def test_the_function_names_the_messages_that_are_to_come_again(
    site: PurgeEnvironment, aws_environment: dict[str, str]
) -> None:
    site.cdn.distribution_id = "E404"
    event = events()["two-keys.json"]
    ids = [record["messageId"] for record in event["Records"]]  # type: ignore[attr-defined]
    answer = function(site, aws_environment).invoke(event)
    assert answer == {"batchItemFailures": [{"itemIdentifier": one} for one in ids]}
