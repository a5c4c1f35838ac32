"""The purge queue: S3 first, then the CDN in batches, in two passes; failures are retried."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from darkroom.services.caching import list_source_versions
from darkroom_dialects.registry import iiif_wildcard
from darkroom_pipeline.aws.erasures import COMPLETE, DONE, FAILED, PENDING_INVALIDATION, new_erasure_id
from darkroom_pipeline.services.purge.consumer import CDN_TIME_S, MAX_DEFERRALS, REPEAT_AFTER_S
from darkroom_pipeline.services.purge.stale_derivatives import CONFIRM, FIRST, PAGE_TIME_S, SECOND, purge_message
from darkroom_pipeline.services.queue_consumer import MAX_WAIT_S, backoff_s
from local.events import read_events
from tests.odd_keys import odd_keys

from .cloudfront import LIMIT
from .functions import load
from .purge_harness import MAX_RECEIVES, PurgeEnvironment, lasting


@pytest.fixture
def env(aws_environment: dict[str, str]) -> PurgeEnvironment:
    return PurgeEnvironment.build(aws_environment)


def bodies(records: list[dict[str, Any]]) -> list[dict[str, object]]:
    return [json.loads(record["body"]) for record in records]


def test_the_store_is_purged_before_the_cdn_requests_again(env: PurgeEnvironment) -> None:
    env.derivative("a.jpg", "w-320.webp")
    stored: list[int] = []
    env.cdn.client.meta.events.register(
        "before-call.cloudfront.CreateInvalidation", lambda **_: stored.append(len(env.keys()))
    )
    env.queue.send(purge_message("a.jpg"))
    assert env.purging().run(env.receive(), lasting) == []
    assert stored == [0]
    assert env.cdn.invalidations() == [["/a.jpg/_/*", "/a.jpg"]]


@pytest.mark.parametrize(
    ("key", "path"),
    [("ünï/a b.jpg", "/.-C3BCn.-C3AF/a.-20b.jpg"), ("a*~.jpg", "/a.-2A.-7E.jpg"), ("50%25+.jpg", "/50.-2525.-2B.jpg")],
)
def test_paths_are_spelled_as_canonical_ones(env: PurgeEnvironment, key: str, path: str) -> None:
    env.queue.send(purge_message(key))
    assert env.purging().run(env.receive(), lasting) == []
    assert env.cdn.invalidations() == [[f"{path}/_/*", path]]


def test_a_purge_comes_once_more_after_a_minute(env: PurgeEnvironment) -> None:
    env.queue.send(purge_message("a.jpg"))
    records = env.receive()
    env.done(records, env.purging(repeat_after_s=REPEAT_AFTER_S).run(records, lasting))
    assert (env.count(""), env.count("Delayed")) == (0, 1)


def test_the_second_pass_clears_what_a_render_left_and_is_the_last(env: PurgeEnvironment) -> None:
    env.queue.send(purge_message("a.jpg"))
    records = env.receive()
    env.done(records, env.purging().run(records, lasting))
    env.derivative("a.jpg", "w-320.webp", '"of the master before"')
    records = env.receive()
    assert bodies(records) == [purge_message("a.jpg", SECOND)]
    env.done(records, env.purging().run(records, lasting))
    assert env.keys() == []
    assert len(env.cdn.invalidations()) == 2
    assert (env.count(""), env.count("Delayed"), env.count("NotVisible")) == (0, 0, 0)


def test_a_first_pass_that_its_sender_has_run_in_s3_is_one_of_the_cdn(env: PurgeEnvironment) -> None:
    """Merged with another purge of the key, it loses nothing."""
    left = env.derivative("a.jpg", "w-320.webp", '"of the master before"')
    calls: list[str] = []
    env.s3.meta.events.register("before-call.s3", lambda model, **_: calls.append(model.name), unique_id="calls")
    env.queue.send(purge_message("a.jpg", cleared=True))
    records = env.receive()
    env.done(records, env.purging().run(records, lasting))
    assert (calls, len(env.cdn.invalidations())) == ([], 1)
    env.s3.meta.events.unregister("before-call.s3", unique_id="calls")
    assert env.keys() == [left]
    records = env.receive()
    assert bodies(records) == [purge_message("a.jpg", SECOND)]
    env.done(records, env.purging().run(records, lasting))
    assert env.keys() == []
    env.derivative("b.jpg", "w-320.webp", '"of the master before"')
    for cleared in (True, False):
        env.queue.send(purge_message("b.jpg", cleared=cleared))
    env.purging().run(env.receive(), lasting)
    assert env.keys() == []


def test_one_invalidation_for_a_batch_and_each_key_once(env: PurgeEnvironment) -> None:
    for key in ("a.jpg", "b.jpg", "a.jpg"):
        env.queue.send(purge_message(key))
    env.queue.send(purge_message("b.jpg", SECOND))
    records = env.receive()
    assert len(records) == 4
    env.done(records, env.purging().run(records, lasting))
    made = env.cdn.invalidations()
    assert [sorted(paths) for paths in made] == [["/a.jpg", "/a.jpg/_/*", "/b.jpg", "/b.jpg/_/*"]]
    follow = bodies(env.receive())
    assert sorted(follow, key=str) == [purge_message("a.jpg", SECOND), purge_message("b.jpg", SECOND)]


@pytest.mark.slow
def test_iiif_has_a_prefix_of_each_image_and_counts_with_the_cdns_limit(env: PurgeEnvironment) -> None:
    keys = [f"trip/{number} ä.jpg" for number in range(20)]
    env.queue.send_many(purge_message(key, SECOND) for key in keys)
    while records := env.receive():
        failed = env.purging(wildcards=[iiif_wildcard]).run(records, lasting)
        assert failed == []
        env.done(records, failed)
        env.cdn.let_go()
    paths = {path for made in env.cdn.invalidations() for path in made}
    assert "/iiif/3/trip.-252F7.-2520.-25C3.-25A4.jpg/*" in paths
    assert len(paths) == 3 * len(keys)
    assert env.cdn.peak <= LIMIT - 1


def test_a_retry_does_not_pay_twice_and_a_new_order_does(env: PurgeEnvironment) -> None:
    env.queue.send(purge_message("a.jpg", SECOND))
    records = env.receive()
    assert env.purging().run(records, lasting) == []
    assert env.purging().run(records, lasting) == []
    assert len(env.cdn.invalidations()) == 1
    env.done(records)
    env.queue.send(purge_message("a.jpg", SECOND))
    assert env.purging().run(env.receive(), lasting) == []
    assert len(env.cdn.invalidations()) == 2


@pytest.mark.slow
def test_forty_keys_at_once_keep_within_the_cdns_limit(env: PurgeEnvironment) -> None:
    keys = [f"photo-{number}.jpg" for number in range(40)]
    for key in keys:
        env.derivative(key, "w-320.webp")
    env.queue.send_many(purge_message(key) for key in keys)
    rounds = 0
    while records := env.receive():
        failed = env.purging().run(records, lasting)
        assert failed == []
        env.done(records, failed)
        rounds += 1
        if rounds % 3 == 0:
            env.cdn.let_go()
    assert env.keys() == []
    assert (env.cdn.refused, env.cdn.peak) == (0, LIMIT - 1)
    paths = [path for made in env.cdn.invalidations() for path in made if path.endswith("*")]
    assert sorted(paths) == sorted(2 * [f"/{key}/_/*" for key in keys])


def test_a_purge_over_the_cdn_limit_is_sent_again_with_a_new_receive_count(env: PurgeEnvironment) -> None:
    for number in range(3):
        env.queue.send(purge_message(f"{number}.jpg"))
    records = env.receive()
    env.cdn.client.create_invalidation(
        DistributionId=env.cdn.distribution_id,
        InvalidationBatch={
            "Paths": {"Quantity": 13, "Items": [f"/by-hand-{number}/*" for number in range(13)]},
            "CallerReference": "by hand",
        },
    )
    env.done(records, env.purging().run(records, lasting))
    assert [len(paths) for paths in env.cdn.invalidations()] == [13, 2]
    waiting = env.receive()
    assert len([body for body in bodies(waiting) if body["pass"] == SECOND]) == 1
    assert len([body for body in bodies(waiting) if body["pass"] != SECOND]) == 2
    assert {record["attributes"]["ApproximateReceiveCount"] for record in waiting} == {"1"}


def test_a_cdn_at_its_limit_is_not_called(env: PurgeEnvironment) -> None:
    env.queue.send_many(purge_message(f"{number}.jpg") for number in range(3))
    env.cdn.client.create_invalidation(
        DistributionId=env.cdn.distribution_id,
        InvalidationBatch={
            "Paths": {"Quantity": LIMIT, "Items": [f"/by-hand-{number}/*" for number in range(LIMIT)]},
            "CallerReference": "by hand",
        },
    )
    assert env.purging().run(env.receive(), lasting) == []
    assert (env.cdn.refused, len(env.cdn.invalidations())) == (0, 1)


def refuse(env: PurgeEnvironment, refused: list[str]) -> None:
    """Make CloudFront refuse paths that begin with one of ``refused``, and with them their batch."""

    def fail(params: dict[str, Any], **_: Any) -> None:
        if any(path.startswith(tuple(refused)) for path in params["InvalidationBatch"]["Paths"]["Items"]):
            error = {"Error": {"Code": "InvalidArgument", "Message": "invalid invalidation paths"}}
            raise ClientError(error, "CreateInvalidation")  # type: ignore[arg-type]

    env.cdn.client.meta.events.register_first("before-parameter-build.cloudfront.CreateInvalidation", fail)


def test_a_path_that_the_cdn_refuses_goes_to_the_dlq_and_delays_no_other(env: PurgeEnvironment) -> None:
    refuse(env, ["/bad"])
    keys = [f"{number}.jpg" for number in range(9)]
    env.queue.send_many(purge_message(key) for key in [*keys[:4], "bad.jpg", *keys[4:]])
    records = env.receive()
    failed = env.purging().run(records, lasting)
    assert failed == []
    env.done(records, failed)
    paths = sorted(path for made in env.cdn.invalidations() for path in made)
    assert paths == sorted(path for key in keys for path in (f"/{key}", f"/{key}/_/*"))
    (letter,) = env.buried()
    assert json.loads(letter["body"]) == purge_message("bad.jpg")
    assert letter["code"] == "invalid-path"
    assert "/bad.jpg/_/*" in letter["cause"]
    assert "InvalidArgument" in letter["cause"]
    assert sorted(bodies(env.receive()), key=str) == [purge_message(key, SECOND) for key in keys]


@pytest.mark.slow
def test_cloudfront_refuses_the_path_of_no_odd_key(env: PurgeEnvironment) -> None:
    keys = odd_keys()
    env.queue.send_many(purge_message(key, SECOND) for key in keys)
    while records := env.receive():
        failed = env.purging(wildcards=[iiif_wildcard]).run(records, lasting)
        assert failed == []
        env.done(records, failed)
        env.cdn.let_go(len(env.cdn.held))
    assert env.buried() == []
    paths = [path for made in env.cdn.invalidations() for path in made]
    assert len(set(paths)) == 3 * len(keys)
    assert [path for path in paths if not re.fullmatch(r"[A-Za-z0-9/._-]+\*?", path)] == []


def test_a_refused_key_is_found_among_halves_that_fail_otherwise(env: PurgeEnvironment) -> None:
    refuse(env, ["/bad"])
    env.queue.send_many(purge_message(key) for key in ("a.jpg", "b.jpg", "bad.jpg", "c.jpg"))
    records = sorted(env.receive(), key=lambda record: record["body"])
    fail_first_half = iter([True])

    def fail(**_: Any) -> None:
        if next(fail_first_half, False):
            raise ZeroDivisionError

    env.cdn.client.meta.events.register_last("before-parameter-build.cloudfront.CreateInvalidation", fail)
    failed = env.purging().run(records, lasting)
    assert failed == [record["messageId"] for record in records[:2]]
    assert [letter["code"] for letter in env.buried()] == ["invalid-path"]
    assert env.cdn.invalidations() == [["/c.jpg/_/*", "/c.jpg"]]


def test_a_refused_key_that_cannot_be_sent_to_the_dlq_is_retried(env: PurgeEnvironment) -> None:
    refuse(env, ["/bad"])
    env.sqs.delete_queue(QueueUrl=env.dead_letters.url)
    env.queue.send_many(purge_message(key) for key in ("a.jpg", "bad.jpg"))
    records = env.receive()
    assert env.purging().run(records, lasting) == [record["messageId"] for record in records if "bad" in record["body"]]


def test_a_purge_waits_for_the_cdn_as_often_as_it_may(env: PurgeEnvironment) -> None:
    env.cdn.held["of others"] = LIMIT
    env.queue.send(purge_message("a.jpg", deferrals=MAX_DEFERRALS - 1))
    records = env.receive()
    env.done(records, env.purging().run(records, lasting))
    (record,) = env.receive()
    assert json.loads(record["body"]) == purge_message("a.jpg", deferrals=MAX_DEFERRALS)
    assert env.purging().run([record], lasting) == []
    (letter,) = env.buried()
    assert json.loads(letter["body"]) == purge_message("a.jpg")
    assert letter["cause"] == f"deferred {MAX_DEFERRALS} times"
    assert env.receive() == []


def status(env: PurgeEnvironment, key: str = "a.jpg") -> str:
    """The state of the erasure of ``key``."""
    found = env.erasures.get(key)
    assert found is not None
    return found.status


def erase(env: PurgeEnvironment, key: str = "a.jpg", number: int = FIRST, now_s: float = 1_800_000_000.0) -> str:
    """Erase the stored objects of ``key`` and queue its purge; return the erasure's id."""
    erasure = new_erasure_id(now_s)
    env.erasures.begin(key, erasure)
    assert env.erasures.set_stored(key, erasure, DONE)
    env.queue.send(purge_message(key, number, erasure=erasure))
    return erasure


def work_off(env: PurgeEnvironment, **further: Any) -> list[dict[str, object]]:
    """Handle the messages of the queue; return their bodies."""
    records = env.receive()
    failed = env.purging(**further).run(records, lasting)
    env.done(records, failed)
    return bodies(records)


def test_an_erasure_is_complete_when_the_cdn_has_completed_the_second_pass(env: PurgeEnvironment) -> None:
    erasure = erase(env)
    assert [body["pass"] for body in work_off(env)] == [FIRST]
    assert [body["pass"] for body in work_off(env)] == [SECOND]
    assert status(env) == PENDING_INVALIDATION
    [body] = work_off(env)
    assert (body["pass"], body["erasure"]) == (CONFIRM, erasure)
    assert status(env) == PENDING_INVALIDATION
    env.cdn.let_go(2)
    [body] = work_off(env)
    assert (body["pass"], body["deferrals"]) == (CONFIRM, 1)
    assert status(env) == COMPLETE
    assert work_off(env) == []
    assert len(env.cdn.invalidations()) == 2


UNSERVABLE = ["!" * 1024, "é" * 512, "a/_/b.jpg"]


@pytest.mark.parametrize("key", UNSERVABLE)
def test_a_key_that_the_cdn_cannot_hold_is_purged_without_it(env: PurgeEnvironment, key: str) -> None:
    erase(env, key)
    env.queue.send(purge_message("other.jpg", SECOND))
    assert len(work_off(env, wildcards=[iiif_wildcard])) == 2
    assert status(env, key) == COMPLETE
    assert work_off(env) == []
    assert [path for made in env.cdn.invalidations() for path in made if "other" not in path] == []


@pytest.mark.parametrize("key", UNSERVABLE)
def test_a_purge_of_a_key_too_long_for_the_cdn_is_no_dlq_message(env: PurgeEnvironment, key: str) -> None:
    env.queue.send(purge_message(key))
    assert len(work_off(env)) == 1
    assert (env.buried(), work_off(env), env.cdn.invalidations()) == ([], [], [])


def test_a_confirmation_of_an_earlier_erasure_completes_no_later_one(env: PurgeEnvironment) -> None:
    erase(env, number=SECOND)
    work_off(env)
    erasure = new_erasure_id(1_800_000_001.0)
    env.erasures.begin("a.jpg", erasure)
    env.erasures.set_stored("a.jpg", erasure, DONE)
    env.cdn.let_go()
    assert [body["pass"] for body in work_off(env)] == [CONFIRM]
    assert status(env) == PENDING_INVALIDATION


def test_purges_in_one_batch_belong_to_the_newest_erasure(env: PurgeEnvironment) -> None:
    erase(env, number=SECOND)
    newer = erase(env, number=SECOND, now_s=1_800_000_060.0)
    env.queue.send(purge_message("a.jpg", SECOND))
    work_off(env)
    env.cdn.let_go()
    [body] = work_off(env)
    assert (body["pass"], body["erasure"]) == (CONFIRM, newer)
    assert status(env) == COMPLETE


def test_an_erasure_that_the_cdn_refuses_has_failed_until_it_is_redriven(env: PurgeEnvironment) -> None:
    erase(env, number=SECOND)
    refused = ["/a.jpg"]
    refuse(env, refused)
    work_off(env)
    assert status(env) == FAILED
    (letter,) = env.buried()
    refused.clear()
    env.queue.send_text(letter["body"])
    work_off(env)
    env.cdn.let_go()
    work_off(env)
    assert status(env) == COMPLETE


def test_the_age_of_the_oldest_erasure_is_measured(env: PurgeEnvironment, capsys: pytest.CaptureFixture[str]) -> None:
    erase(env, "a.jpg")
    erase(env, "b.jpg", now_s=1_800_000_030.0)
    purging = env.purging(clock=lambda: 1_800_000_100.0)
    purging.run(env.receive(), lasting)
    purging.observer.flush()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["ErasurePendingSeconds"] for line in lines if "ErasurePendingSeconds" in line] in ([100.0], [[100.0]])


@pytest.mark.slow
def test_all_messages_of_a_key_that_fails_come_again(env: PurgeEnvironment) -> None:
    env.media = type(env.media)(env.s3, "no-such-bucket")
    for number in (1, SECOND):
        env.queue.send(purge_message("a.jpg", number))
    records = env.receive()
    assert sorted(env.purging().run(records, lasting)) == sorted(record["messageId"] for record in records)


def test_capacity_used_up_meanwhile_is_no_failure(env: PurgeEnvironment) -> None:
    env.queue.send(purge_message("a.jpg"))
    records = env.receive()
    env.cdn.client.meta.events.register_first(
        "before-parameter-build.cloudfront.CreateInvalidation", lambda **_: env.cdn.held.update(other=LIMIT)
    )
    assert env.purging().run(records, lasting) == []
    assert env.cdn.refused == 1
    env.done(records)
    assert bodies(env.receive()) == [purge_message("a.jpg", deferrals=1)]


def test_one_key_that_fails_does_not_hold_up_the_others(env: PurgeEnvironment) -> None:
    def fail(params: dict[str, Any], **_: Any) -> None:
        if params["Prefix"] == "derivatives/bad.jpg/_/":
            raise ClientError({"Error": {"Code": "SlowDown", "Message": ""}}, "ListObjectsV2")

    env.s3.meta.events.register("before-parameter-build.s3.ListObjectsV2", fail)
    for key in ("good.jpg", "bad.jpg", "fine.jpg"):
        env.queue.send(purge_message(key))
    records = env.receive()
    failed = env.purging().run(records, lasting)
    bad = [record["messageId"] for record in records if "bad" in record["body"]]
    assert failed == bad
    assert len(env.cdn.invalidations()[0]) == 4


def test_a_cdn_that_does_not_answer_leaves_every_message(env: PurgeEnvironment) -> None:
    env.cdn.client.delete_distribution(
        Id=env.cdn.distribution_id, IfMatch=_disabled(env.cdn.client, env.cdn.distribution_id)
    )
    for key in ("a.jpg", "b.jpg"):
        env.queue.send(purge_message(key))
    records = env.receive()
    assert sorted(env.purging().run(records, lasting)) == sorted(record["messageId"] for record in records)
    assert (env.count(""), env.count("NotVisible")) == (0, 2)


def _disabled(client: Any, distribution_id: str) -> str:
    found = client.get_distribution_config(Id=distribution_id)
    config = found["DistributionConfig"] | {"Enabled": False}
    answer = client.update_distribution(Id=distribution_id, IfMatch=found["ETag"], DistributionConfig=config)
    return str(answer["ETag"])


def test_a_failed_message_waits_longer_each_time(env: PurgeEnvironment) -> None:
    env.media = type(env.media)(env.s3, "no-such-bucket")
    hidden: list[int] = []
    env.sqs.meta.events.register(
        "provide-client-params.sqs.ChangeMessageVisibility",
        lambda params, **_: hidden.append(params["VisibilityTimeout"]),
    )
    env.queue.send(purge_message("a.jpg"))
    for record in env.receive():
        for receives in (1, 2, 5, 19):
            record["attributes"]["ApproximateReceiveCount"] = str(receives)
            assert env.purging().run([record], lasting) == [record["messageId"]]
    assert hidden == [15, 30, 240, MAX_WAIT_S]
    assert hidden == [backoff_s(receives) for receives in (1, 2, 5, 19)]
    assert env.buried() == []


def test_the_last_failure_sends_a_message_to_the_dlq_with_its_cause(env: PurgeEnvironment) -> None:
    env.media = type(env.media)(env.s3, "no-such-bucket")
    env.queue.send(purge_message("a.jpg", SECOND))
    (record,) = env.receive()
    record["attributes"]["ApproximateReceiveCount"] = str(MAX_RECEIVES)
    assert env.purging().run([record], lasting) == []
    (letter,) = env.buried()
    assert json.loads(letter["body"]) == purge_message("a.jpg", SECOND)
    assert (letter["code"], letter["attempts"]) == ("unavailable", str(MAX_RECEIVES))
    assert letter["cause"].startswith("list derivatives/a.jpg/_/: NoSuchBucket")


def test_a_redriven_message_is_marked_when_it_fails_again(env: PurgeEnvironment) -> None:
    env.media = type(env.media)(env.s3, "no-such-bucket")
    env.queue.send(purge_message("a.jpg", SECOND))
    env.queue.send(purge_message("a.jpg", SECOND))
    records = env.receive()
    for record in records:
        record["attributes"]["ApproximateReceiveCount"] = str(MAX_RECEIVES)
    records[1]["messageAttributes"] = {"redriven": {"stringValue": "2026-11-25T12:00:00+00:00", "dataType": "String"}}
    env.purging().run(records, lasting)
    (letter,) = env.buried()
    assert letter["redriven"] == "2026-11-25T12:00:00+00:00"


def test_a_defect_is_retried_like_a_fault_and_logged_with_its_traceback(env: PurgeEnvironment) -> None:
    def fail(**_: Any) -> None:
        raise ZeroDivisionError

    env.s3.meta.events.register("before-parameter-build.s3.ListObjectsV2", fail)
    env.queue.send(purge_message("a.jpg"))
    (record,) = env.receive()
    assert env.purging().run([record], lasting) == [record["messageId"]]
    record["attributes"]["ApproximateReceiveCount"] = str(MAX_RECEIVES)
    assert env.purging().run([record], lasting) == []
    (letter,) = env.buried()
    assert letter["code"] == "defect"
    assert letter["cause"].rstrip().endswith("ZeroDivisionError")


def test_a_message_that_cannot_be_sent_to_the_dlq_is_left_to_sqs(env: PurgeEnvironment) -> None:
    env.media = type(env.media)(env.s3, "no-such-bucket")
    env.sqs.delete_queue(QueueUrl=env.dead_letters.url)
    env.queue.send(purge_message("a.jpg"))
    (record,) = env.receive()
    record["attributes"]["ApproximateReceiveCount"] = str(MAX_RECEIVES)
    unreadable = record | {"messageId": "unreadable", "body": "no order"}
    assert env.purging().run([record, unreadable], lasting) == ["unreadable", record["messageId"]]


def test_a_message_is_not_done_before_the_next_pass_is_sent(env: PurgeEnvironment) -> None:
    env.queue.send(purge_message("a.jpg"))
    records = env.receive()

    def fail(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "ServiceUnavailable", "Message": ""}}, "SendMessage")

    env.sqs.meta.events.register("before-parameter-build.sqs.SendMessage", fail)
    assert env.purging().run(records, lasting) == [records[0]["messageId"]]


@pytest.mark.sample(5)
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
def test_an_invalid_message_alone_goes_to_the_dlq(env: PurgeEnvironment, body: str) -> None:
    records = [
        {"messageId": "bad", "receiptHandle": "none", "body": body, "attributes": {}},
        {"messageId": "good", "receiptHandle": "none", "body": '{"key": "a.jpg", "pass": 2}', "attributes": {}},
    ]
    assert env.purging().run(records, lasting) == []
    assert len(env.cdn.invalidations()) == 1
    (letter,) = env.buried()
    assert (letter["body"], letter["code"]) == (body, "bad-upload")


def test_orders_count_by_how_they_ended(env: PurgeEnvironment, capsys: pytest.CaptureFixture[str]) -> None:
    env.derivative("a.jpg", "w-320.webp")
    records = [
        {"messageId": str(number), "receiptHandle": "none", "body": body, "attributes": {}}
        for number, body in enumerate(['{"key": "a.jpg", "pass": 2}', "no order", '{"key": "b.jpg", "pass": 2}'])
    ]
    purging = env.purging()
    env.cdn.client.meta.events.register("before-call.cloudfront.CreateInvalidation", _unless_called_before())
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


def test_without_time_a_key_is_put_back_untouched(env: PurgeEnvironment) -> None:
    env.derivative("a.jpg", "w-320.webp")
    env.queue.send(purge_message("a.jpg", SECOND))
    records = env.receive()
    assert env.purging().run(records, lambda: PAGE_TIME_S + CDN_TIME_S - 1) == []
    env.done(records)
    assert bodies(env.receive()) == [purge_message("a.jpg", SECOND, deferrals=1)]
    assert len(env.keys()) == 1
    assert env.cdn.invalidations() == []


@pytest.mark.slow
def test_what_time_was_too_short_for_is_put_back_and_taken_up_where_it_stopped(env: PurgeEnvironment) -> None:
    names = sorted(f"w-{width}.webp" for width in range(1100))
    etag = env.master("a.jpg")
    env.derivatives("a.jpg", names[:1000], etag)
    env.derivatives("a.jpg", names[1000:], '"old"')
    env.queue.send(purge_message("a.jpg"))
    records = env.receive()
    times = iter([900.0, 900.0, CDN_TIME_S])
    assert env.purging().run(records, lambda: next(times)) == []
    env.done(records)
    assert env.cdn.invalidations() == []
    again = env.receive()
    versions = " ".join(list_source_versions(etag, ""))
    assert bodies(again)[0]["place"] == {"master": versions, "after": f"derivatives/a.jpg/_/{names[999]}"}
    heads: list[str] = []
    env.s3.meta.events.register("provide-client-params.s3.HeadObject", lambda params, **_: heads.append(params["Key"]))
    assert env.purging().run(again, lasting) == []
    assert len([key for key in heads if key.startswith("derivatives/")]) == 100
    assert len(env.keys()) == 1000
    assert len(env.cdn.invalidations()) == 1
    env.done(again)
    assert bodies(env.receive()) == [purge_message("a.jpg", SECOND)]


def test_not_one_page_in_a_whole_invocation_is_a_failure(env: PurgeEnvironment) -> None:
    env.derivative("a.jpg", "w-320.webp", env.master("a.jpg"))
    env.queue.send(purge_message("a.jpg"))
    records = env.receive()
    times = iter([900.0, CDN_TIME_S])
    assert env.purging().run(records, lambda: next(times)) == [records[0]["messageId"]]


def test_a_purge_of_nothing_is_no_work(env: PurgeEnvironment) -> None:
    assert env.purging().run([], lasting) == []
    assert env.cdn.invalidations() == []


def function(env: PurgeEnvironment, environment: dict[str, str], **more: str) -> Any:
    """The function on the site."""
    variables = {
        "MEDIA_BUCKET": env.media.bucket,
        "DISTRIBUTION_ID": env.cdn.distribution_id,
        "PURGE_QUEUE_URL": env.queue.url,
        "PURGE_DLQ_URL": env.dead_letters.url,
        "INDEX_TABLE": env.index,
        "MAX_RECEIVES": str(MAX_RECEIVES),
    }
    return load("purge", environment | variables | more)


@pytest.mark.parametrize(("dialects", "paths"), [("on", 3), ("off", 2)])
def test_paths_of_iiif_are_purged_where_there_are_dialects_whatever_the_settings(
    env: PurgeEnvironment, aws_environment: dict[str, str], dialects: str, paths: int
) -> None:
    """Without a document IIIF is off; earlier cache entries may still exist."""
    env.queue.send(purge_message("a.jpg"))
    records = env.receive()
    purge = function(env, aws_environment, HAS_DIALECTS=dialects)
    assert purge.invoke({"Records": records}) == {"batchItemFailures": []}
    [made] = env.cdn.client.list_invalidations(DistributionId=env.cdn.distribution_id)["InvalidationList"]["Items"]
    assert len(env.cdn.paths(made["Id"])) == paths


INVALIDATED = {"first-pass.json": 1, "second-pass.json": 1, "two-keys.json": 2, "unreadable.json": 0}


@pytest.mark.parametrize("name", INVALIDATED)
def test_the_outcome_of_an_event_is_that_of_its_name(
    env: PurgeEnvironment, aws_environment: dict[str, str], name: str
) -> None:
    assert function(env, aws_environment).invoke(read_events("purge")[name]) == {"batchItemFailures": []}
    assert [path for made in env.cdn.invalidations() for path in made if path.endswith("*")] == [
        "/samples/coffee.png/_/*",
        "/no/such/photo.jpg/_/*",
    ][: INVALIDATED[name]]
    assert len(env.buried()) == (name == "unreadable.json")


def test_every_event_of_the_function_is_tried() -> None:
    assert set(INVALIDATED) == set(read_events("purge"))


def test_the_function_names_the_messages_that_are_to_come_again(
    env: PurgeEnvironment, aws_environment: dict[str, str]
) -> None:
    env.cdn.distribution_id = "E404"
    event = read_events("purge")["two-keys.json"]
    ids = [record["messageId"] for record in event["Records"]]
    answer = function(env, aws_environment).invoke(event)
    assert answer == {"batchItemFailures": [{"itemIdentifier": one} for one in ids]}
