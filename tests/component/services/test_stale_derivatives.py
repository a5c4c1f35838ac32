"""The S3 part of a purge: it deletes all derivatives of other masters and no others, under concurrent changes."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from darkroom.errors import Unavailable
from darkroom.image_keys import ObjectNames
from darkroom.services.caching import derivative_metadata
from darkroom_pipeline.services.purge.stale_derivatives import (
    MAX_STARTS,
    PAGE_TIME_S,
    DerivativePurge,
    PurgePosition,
    PurgeResult,
)

from .purge_harness import PurgeEnvironment, lasting

WIDTHS = [f"w-{width}.webp" for width in range(1, 2501)]


@pytest.fixture
def env(aws_environment: dict[str, str]) -> PurgeEnvironment:
    return PurgeEnvironment.build(aws_environment)


def test_only_what_another_master_made_is_deleted(env: PurgeEnvironment) -> None:
    old = env.master("a.jpg", b"old")
    env.derivative("a.jpg", "w-320.webp", old)
    env.derivative("a.jpg", "refusal.json", old)
    env.derivative("a.jpg", "mezzanine-1280.jpg", old)
    new = env.master("a.jpg", b"new")
    kept = env.derivative("a.jpg", "w-640.webp", new)
    assert env.purge.delete_stale("a.jpg") == PurgeResult(deleted=3, kept=1, complete=True)
    assert env.keys() == [kept]


def test_a_derivative_without_its_source_tag_is_deleted(env: PurgeEnvironment) -> None:
    env.master("a.jpg")
    env.derivative("a.jpg", "w-320.webp")
    assert env.purge.delete_stale("a.jpg").deleted == 1


def test_all_goes_with_the_master(env: PurgeEnvironment) -> None:
    etag = env.master("a.jpg")
    env.derivatives("a.jpg", WIDTHS[:20], etag)
    env.media.delete("masters/a.jpg")
    heads: list[str] = []
    env.s3.meta.events.register("provide-client-params.s3.HeadObject", lambda params, **_: heads.append(params["Key"]))
    assert env.purge.delete_stale("a.jpg") == PurgeResult(deleted=20, kept=0, complete=True)
    assert env.keys() == []
    assert set(heads) == {"masters/a.jpg"}  # objects that are deleted anyway need no HEAD


def test_the_same_bytes_again_are_no_reason(env: PurgeEnvironment) -> None:
    env.derivative("a.jpg", "w-320.webp", env.master("a.jpg"))
    env.master("a.jpg")
    assert env.purge.delete_stale("a.jpg") == PurgeResult(deleted=0, kept=1, complete=True)


@pytest.mark.parametrize("other", ["a.jpg2", "b/a.jpg", "a.jp", "A.jpg", "a.jpg/b.jpg"])
def test_other_keys_keep_theirs(env: PurgeEnvironment, other: str) -> None:
    kept = env.derivative(other, "w-320.webp", '"of another master"')
    env.derivative("a.jpg", "w-320.webp", '"of another master"')
    env.master("a.jpg")
    assert env.purge.delete_stale("a.jpg").deleted == 1
    assert env.keys() == [kept]


def test_a_key_may_hold_what_urls_cannot(env: PurgeEnvironment) -> None:
    key = "ünï/ツ 100%25 #1?&+.jpg"
    env.derivative(key, "w-320.webp", '"old"')
    kept = env.derivative(key, "w-640.webp", env.master(key))
    assert env.purge.delete_stale(key) == PurgeResult(deleted=1, kept=1, complete=True)
    assert env.keys() == [kept]


def test_masters_may_be_in_another_bucket(env: PurgeEnvironment) -> None:
    env.s3.create_bucket(Bucket=f"{env.media.bucket}-own")
    source = type(env.media)(env.s3, f"{env.media.bucket}-own")
    kept = env.derivative("a.jpg", "w-320.webp", source.put("photos/a.jpg", b"own", headers={}, metadata={}))
    env.derivative("a.jpg", "w-640.webp", env.master("a.jpg"))
    purge = DerivativePurge(env.media, source, ObjectNames("photos/", encoded=False))
    assert purge.delete_stale("a.jpg") == PurgeResult(1, 1, complete=True)
    assert env.keys() == [kept]


@pytest.mark.slow
def test_thousands_in_pages_and_a_purge_that_is_cut_short_is_taken_up(env: PurgeEnvironment) -> None:
    old = env.master("a.jpg", b"old")
    env.derivatives("a.jpg", WIDTHS, old)
    new = env.master("a.jpg", b"new")
    fresh = WIDTHS[::100]
    env.derivatives("a.jpg", fresh, new)
    times = iter([PAGE_TIME_S + 2, PAGE_TIME_S + 1, PAGE_TIME_S - 1])
    first = env.purge.delete_stale("a.jpg", lambda: next(times))
    assert (first.deleted + first.kept, first.complete) == (2000, False)
    assert len(env.keys()) == 2500 - first.deleted
    second = env.purge.delete_stale("a.jpg", lasting, first.position)
    assert second == PurgeResult(deleted=2475 - first.deleted, kept=25 - first.kept, complete=True)
    assert env.keys() == sorted(f"derivatives/a.jpg/_/{name}" for name in fresh)
    assert env.purge.delete_stale("a.jpg") == PurgeResult(deleted=0, kept=25, complete=True)


def test_a_purge_restarts_when_the_master_has_changed(env: PurgeEnvironment) -> None:
    etag = env.master("a.jpg", b"old")
    env.derivatives("a.jpg", WIDTHS[:10], etag)
    stopped = PurgePosition(etag.strip('"'), "derivatives/a.jpg/_/w-5.webp")
    env.master("a.jpg", b"new")
    assert env.purge.delete_stale("a.jpg", lasting, stopped) == PurgeResult(deleted=10, kept=0, complete=True)


def test_without_time_nothing_is_begun(env: PurgeEnvironment) -> None:
    env.derivative("a.jpg", "w-320.webp")
    assert env.purge.delete_stale("a.jpg", lambda: PAGE_TIME_S - 1) == PurgeResult(0, 0, complete=False)
    assert len(env.keys()) == 1


def test_a_master_that_changes_meanwhile_leaves_nothing_of_the_one_before(env: PurgeEnvironment) -> None:
    first = env.master("a.jpg", b"first")
    env.derivatives("a.jpg", WIDTHS[:3], first)
    second = env.master("a.jpg", b"second")
    env.derivatives("a.jpg", WIDTHS[3:6], second)
    bodies = iter([b"third"])

    def overwrite(_: dict[str, Any]) -> None:
        for body in bodies:
            env.derivative("a.jpg", "w-3000.webp", env.master("a.jpg", body))

    env.interfere("after-call.s3.DeleteObjects", overwrite)
    assert env.purge.delete_stale("a.jpg") == PurgeResult(deleted=6, kept=1, complete=True)
    assert env.keys() == ["derivatives/a.jpg/_/w-3000.webp"]


def test_a_master_that_is_deleted_meanwhile_takes_all_along(env: PurgeEnvironment) -> None:
    env.derivative("a.jpg", "w-1.webp", '"old"')
    env.derivatives("a.jpg", WIDTHS[1:4], env.master("a.jpg"))
    env.interfere("after-call.s3.DeleteObjects", lambda _: env.media.delete("masters/a.jpg"))
    assert env.purge.delete_stale("a.jpg") == PurgeResult(deleted=4, kept=0, complete=True)
    assert env.keys() == []


def test_a_master_that_never_rests_is_left_for_later(env: PurgeEnvironment) -> None:
    env.derivative("a.jpg", "w-1.webp", env.master("a.jpg"))
    widths = itertools.count(2)

    def overwrite(_: dict[str, Any]) -> None:
        width = next(widths)
        env.derivative("a.jpg", f"w-{width}.webp", env.master("a.jpg", f"negative {width}".encode()))

    env.interfere("after-call.s3.ListObjectsV2", overwrite)
    assert not env.purge.delete_stale("a.jpg").complete
    assert next(widths) == MAX_STARTS + 2


def test_a_derivative_that_vanishes_meanwhile_is_none(env: PurgeEnvironment) -> None:
    env.derivatives("a.jpg", WIDTHS[:3], env.master("a.jpg"))
    env.interfere("after-call.s3.ListObjectsV2", lambda _: env.media.delete("derivatives/a.jpg/_/w-2.webp"))
    assert env.purge.delete_stale("a.jpg") == PurgeResult(deleted=0, kept=2, complete=True)


@pytest.mark.parametrize("event", ["after-call.s3.HeadObject", "before-send.s3.DeleteObjects"])
def test_a_derivative_that_is_made_again_meanwhile_stays(env: PurgeEnvironment, event: str) -> None:
    """The deletion may also be carried out late, when its sender has long repeated it."""
    env.derivative("a.jpg", "w-1.webp", '"old"')
    master = env.master("a.jpg", b"new")

    def render(**_: Any) -> None:
        env.media.put("derivatives/a.jpg/_/w-1.webp", b"again", headers={}, metadata=derivative_metadata(master))

    env.s3.meta.events.register(event, render)
    cleared = env.purge.delete_stale("a.jpg")
    env.s3.meta.events.unregister(event, render)
    assert cleared.deleted == 0
    assert env.keys() == ["derivatives/a.jpg/_/w-1.webp"]


@pytest.mark.parametrize("served", [True, False], ids=["over another master", "where there was none"])
@pytest.mark.parametrize("read", ["after-call.s3.ListObjectsV2", "after-call.s3.HeadObject"])
def test_a_derivative_of_the_next_master_stays(env: PurgeEnvironment, read: str, served: bool) -> None:
    """The purge has read the master before, and reads the derivative, with its present entity tag, afterwards."""
    if served:
        env.derivative("a.jpg", "w-1.webp", env.master("a.jpg", b"old"))
        env.derivative("a.jpg", "w-2.webp", '"older"')
    bodies = iter([b"new"])

    def overwrite(_: dict[str, Any]) -> None:
        for body in bodies:
            etag = env.master("a.jpg", body)
            for name in ("w-1.webp", "w-2.webp"):
                env.media.put(f"derivatives/a.jpg/_/{name}", body, headers={}, metadata=derivative_metadata(etag))

    env.interfere(read, overwrite)
    env.purge.delete_stale("a.jpg")
    assert env.keys() == ["derivatives/a.jpg/_/w-1.webp", "derivatives/a.jpg/_/w-2.webp"]


def test_a_bucket_that_cannot_be_reached_is_a_fault(env: PurgeEnvironment) -> None:
    with pytest.raises(Unavailable):
        DerivativePurge(type(env.media)(env.s3, "no-such-bucket"), env.media).delete_stale("a.jpg")
