"""stacks/source.yaml: events of a source bucket that reach the purge queue. stacks/sources.yaml: further buckets."""

from __future__ import annotations

from typing import Any

import pytest

from .stack import ROOT, Stack
from .test_intake import matches

SOURCES = ROOT / "stacks" / "sources.yaml"
EVENT: dict[str, Any] = {
    "source": "aws.s3",
    "detail-type": "Object Created",
    "detail": {"bucket": {"name": "photos"}, "object": {"key": "originals/a.jpg"}, "reason": "PutObject"},
}


def about(**changed: Any) -> dict[str, Any]:
    return EVENT | {"detail": EVENT["detail"] | changed}


@pytest.mark.parametrize(
    ("event", "heard"),
    [
        (EVENT, True),
        (EVENT | {"account": "999988887777"}, True),
        (EVENT | {"detail-type": "Object Deleted"}, True),
        (
            EVENT | {"detail-type": "Object Deleted", "detail": EVENT["detail"] | {"reason": "Lifecycle Expiration"}},
            True,
        ),
        (EVENT | {"detail-type": "Object Tags Added"}, False),
        (EVENT | {"source": "photos.app"}, False),
        (about(bucket={"name": "photos-2"}), False),
        (about(object={"key": "drafts/a.jpg"}), False),
    ],
)
def test_the_rule_matches_changes_below_the_prefix(event: dict[str, Any], heard: bool) -> None:
    stack = Stack(SourceBucket="photos", SourcePrefix="originals/")
    assert matches(stack.properties("SourceChangedRule")["EventPattern"], event) == heard


def test_without_a_prefix_every_object_of_the_bucket_matches() -> None:
    stack = Stack(SourceBucket="photos", SourcePrefix="")
    pattern = stack.properties("SourceChangedRule")["EventPattern"]
    assert pattern["detail"] == {"bucket": {"name": ["photos"]}}  # an empty prefix may be no valid pattern


def test_rule_and_bucket_send_to_the_queue_and_the_rule_to_its_dlq() -> None:
    stack = Stack(SourceBucket="photos", SourcePrefix="originals/")
    [target] = stack.properties("SourceChangedRule")["Targets"]
    assert (target["Arn"], target["DeadLetterConfig"]["Arn"]) == ("<PurgeQueue.Arn>", "<PurgeDeadLetters.Arn>")
    policy, rejected = stack.properties("QueuePolicy"), stack.properties("DeadLettersPolicy")
    assert (policy["Queues"], rejected["Queues"]) == (["<PurgeQueue>"], ["<PurgeDeadLetters>"])
    statements = [*policy["PolicyDocument"]["Statement"], *rejected["PolicyDocument"]["Statement"]]
    allowed = {
        (one["Principal"]["Service"], one["Resource"], *one["Condition"]["ArnEquals"]["aws:SourceArn"])
        for one in statements
    }
    assert allowed == {
        ("events.amazonaws.com", "<PurgeQueue.Arn>", "<SourceChangedRule.Arn>"),
        ("s3.amazonaws.com", "<PurgeQueue.Arn>", "arn:aws:s3:::photos"),
        ("events.amazonaws.com", "<PurgeDeadLetters.Arn>", "<SourceChangedRule.Arn>"),
    }
    assert {(one["Effect"], one["Action"]) for one in statements} == {("Allow", "sqs:SendMessage")}


def test_masters_of_the_stack_itself_need_no_events() -> None:
    assert "SourceStack" not in Stack().resources


def test_roles_may_read_further_buckets_by_a_stack_of_its_own() -> None:
    arn = "arn:aws:s3:::partner"
    given = {"Roles": "transform,purge", "Buckets": f"{arn},arn:aws:s3:::other", "Objects": f"{arn}/public/*"}
    policy = Stack(SOURCES, **given).properties("ReadSources")
    assert policy["Roles"] == ["transform", "purge"]
    found = {one["Action"]: one["Resource"] for one in policy["PolicyDocument"]["Statement"]}
    assert found == {"s3:GetObject": [f"{arn}/public/*"], "s3:ListBucket": [arn, "arn:aws:s3:::other"]}
    key = "arn:aws:kms:eu-west-1:111122223333:key/0a1b"
    statements = Stack(SOURCES, **given, KmsKeys=key).properties("ReadSources")["PolicyDocument"]["Statement"]
    assert (statements[-1]["Action"], statements[-1]["Resource"]) == ("kms:Decrypt", [key])
