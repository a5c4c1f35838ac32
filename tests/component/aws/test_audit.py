"""The audit log: each entry is an immutable object, and listings start with the newest."""

from __future__ import annotations

import itertools
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from darkroom.errors import Unavailable
from darkroom_pipeline.aws.audit import DECISION, ERASURE, KINDS, OVERRIDE, AuditLog, hash_key
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.s3 import S3Bucket

from . import faulty
from .stored import keys, opened_body

NOON_S = datetime(2026, 11, 25, 12, 0, 0, 125_000, tzinfo=UTC).timestamp()
DAY_S = 86_400.0
_numbers = itertools.count(1)


@pytest.mark.slow
def test_an_entry_records_actor_action_time_and_reason(vault: S3Bucket) -> None:
    key = AuditLog(vault, clock=lambda: NOON_S).write(DECISION, "endpoint", "monitor", action="rollback", reasons=["n"])
    assert re.fullmatch(r"2026/11/25/120000\.125000-[0-9a-f]{12}\.json", key)
    assert json.loads(opened_body(vault, key)) == {
        "at": "2026-11-25T12:00:00.125+00:00",
        "kind": "decision",
        "subject": "endpoint",
        "by": "monitor",
        "facts": {"action": "rollback", "reasons": ["n"]},
    }


@pytest.mark.slow
def test_entries_of_one_moment_do_not_replace_each_other(vault: S3Bucket) -> None:
    audit = AuditLog(vault, clock=lambda: NOON_S)
    written = {audit.write(OVERRIDE, "a.jpg", "person") for _ in range(20)}
    assert sorted(written) == keys(vault)
    assert len(written) == 20


@pytest.mark.slow
def test_the_newest_entries_come_first_over_days(vault: S3Bucket) -> None:
    for past, subject in enumerate(["today", "yesterday", "the day before", "long ago"]):
        AuditLog(vault, clock=lambda past=past: NOON_S - DAY_S * (40 if past == 3 else past)).write(  # type: ignore[misc]
            DECISION, subject, "x"
        )
    AuditLog(vault, clock=lambda: NOON_S + 1).write(DECISION, "just now", "x")
    audit = AuditLog(vault, clock=lambda: NOON_S + 2)
    assert [one["subject"] for one in audit.list_newest(10)] == ["just now", "today", "yesterday", "the day before"]
    assert [one["subject"] for one in audit.list_newest(2)] == ["just now", "today"]
    assert [one["subject"] for one in audit.list_newest(10, days=1)] == ["just now", "today"]


@pytest.mark.slow
def test_kinds_are_a_closed_list(vault: S3Bucket) -> None:
    assert KINDS == ("decision", "override", "release", "erasure", "access")
    with pytest.raises(ValueError, match="gossip"):
        AuditLog(vault).write("gossip", "a", "b")
    assert keys(vault) == []


def test_an_erasure_names_its_key_by_a_hash_alone() -> None:
    assert re.fullmatch("sha256:[0-9a-f]{64}", hash_key("people/ümit.jpg"))
    assert hash_key("a") != hash_key("b")


def test_a_write_whose_answer_was_lost_is_no_error(s3: Any) -> None:
    with faulty.answering(faulty.error(500, "InternalError"), faulty.error(412, "PreconditionFailed")) as server:
        audit = AuditLog(S3Bucket(create_client("s3", server.environment), "log"))
        assert audit.write(ERASURE, hash_key("a"), "person").endswith(".json")
        assert len(server.requests) == 2


def test_a_bucket_that_does_not_answer_is_a_fault() -> None:
    with faulty.answering(faulty.error(403, "AccessDenied")) as server:
        audit = AuditLog(S3Bucket(create_client("s3", server.environment), "log"))
        with pytest.raises(Unavailable):
            audit.write(DECISION, "a", "b")


def test_a_locked_bucket_keeps_what_was_written(s3: Any) -> None:
    name = f"audit-locked-{next(_numbers)}"
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    s3.put_object_lock_configuration(
        Bucket=name,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}},
        },
    )
    vault = S3Bucket(s3, name)
    key = AuditLog(vault).write(DECISION, "a", "b")
    kept = vault.head(key)
    assert kept is not None
    with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=name, Key=key, VersionId=kept.version_id)
    assert json.loads(opened_body(vault, key))["subject"] == "a"
