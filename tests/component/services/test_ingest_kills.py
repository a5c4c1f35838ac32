"""Kill or overtake ingest before and after each call: the end state is the same."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from botocore.exceptions import ClientError
from PIL import Image

from darkroom.aws.record import HELD, READY, REFUSED, REMOVED
from darkroom.errors import Busy
from darkroom.plan.presets import Presets
from darkroom.services.caching import SOURCE_ETAG
from darkroom.services.ingest.context import IngestContext
from darkroom.services.ingest.events import EventKind, IngestEvent, read_event
from darkroom.services.ingest.handler import handle_event
from tests.profiles import select_calls

from .ingest_environment import IngestEnvironment
from .kill_points import Killed, Wire, kill, wired

ONE_PRESET = Presets({"w320": {"w": "320", "f": "webp"}, "tiny": {"w": "8", "f": "webp"}}, {}, ("w320", "tiny"))
MOST_CALLS = 60


def build_context(world: IngestEnvironment) -> IngestContext:
    found = world.context
    object.__setattr__(found, "presets", ONE_PRESET)
    return found


_seeds = itertools.count(1)


def picture() -> bytes:
    """A small JPEG unlike all before."""
    image = Image.frombytes("RGB", (24, 16), Random(next(_seeds)).randbytes(24 * 16 * 3))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=95)
    return out.getvalue()


@dataclass
class Case:
    """A key and its history: the change to handle, and the expected end state.

    ``flagged``: the expected flag of a held image.
    """

    world: IngestEnvironment
    key: str
    change: IngestEvent
    state: str
    bytes_served: bytes | None
    bytes_held: bytes | None = None
    flagged: bool = False

    def settle(self) -> None:
        """Handle the retried change and the messages of the workers."""
        for _ in range(4):
            self.world.now_s += 1000
            with suppress(Busy):
                handle_event(build_context(self.world), self.change)
                break
        self.repair()

    def repair(self) -> None:
        for _ in range(3):
            self.world.now_s += 1000
            for change in mends(self.world):
                handle_event(build_context(self.world), change)

    def check(self) -> None:
        record, media = self.world.record(self.key), self.world.vault("media")
        assert (record.state, record.announced) == (self.state, True)
        master = media.head(f"masters/{self.key}")
        assert self.world.claims.is_consistent(record)
        self._check_what_waits()
        stored = self.world.keys("media", f"derivatives/{self.key}/_/")
        assert (master is None) == (self.bytes_served is None)
        if master is None:
            assert stored == []
            return
        assert pixels(self.world.body("media", f"masters/{self.key}")) == pixels(self.bytes_served)
        for name in stored:
            head = media.head(name)
            assert head is not None
            assert head.metadata[SOURCE_ETAG] == master.etag.strip('"')

    def _check_what_waits(self) -> None:
        record = self.world.record(self.key)
        waiting = self.world.keys("media", f"held/{self.key}")
        assert waiting == ([f"held/{self.key}"] if self.bytes_held else [])
        assert bool(record.held) == bool(self.bytes_held)
        if self.bytes_held:
            assert pixels(self.world.body("media", waiting[0])) == pixels(self.bytes_held)
            assert record.held.flagged is self.flagged
            head = self.world.vault("media").head(waiting[0])
            assert head is not None
            assert head.etag == record.held.master.etag


def pixels(data: bytes | None) -> bytes:
    assert data is not None
    return Image.open(io.BytesIO(data)).tobytes()


def mends(world: IngestEnvironment) -> list[IngestEvent]:
    """The messages of the workers without their delay."""
    found = [read_event(text) for text in world.sent]
    world.sent.clear()
    return [change for change in found if change is not None]


def created(world: IngestEnvironment, key: str) -> Case:
    body = picture()
    return Case(world, key, world.change(key, world.upload(key, body)), READY, body)


def overwritten(world: IngestEnvironment, key: str) -> Case:
    handle_event(build_context(world), created(world, key).change)
    stale = f"derivatives/{key}/_/w-5.webp"
    master = world.record(key).master.etag.strip('"')
    world.vault("media").put(stale, b"x", headers={}, metadata={SOURCE_ETAG: master})
    return created(world, key)


def duplicated(world: IngestEnvironment, key: str) -> Case:
    first = created(world, f"{key}.first")
    handle_event(build_context(world), first.change)
    assert first.bytes_served is not None
    return Case(world, key, world.change(key, world.upload(key, first.bytes_served)), READY, first.bytes_served)


def refused(world: IngestEnvironment, key: str) -> Case:
    first = created(world, key)
    handle_event(build_context(world), first.change)
    change = world.change(key, world.upload(key, b"no picture"))
    return Case(world, key, change, REFUSED, first.bytes_served)


def removed(world: IngestEnvironment, key: str) -> Case:
    handle_event(build_context(world), created(world, key).change)
    world.clients["s3"].delete_object(Bucket=world.names["uploads"], Key=key)
    change = world.change(key, world.next_sequencer(), "Object Deleted", "DeleteObject")
    return Case(world, key, change, REMOVED, None)


def refused_after_a_death(world: IngestEnvironment, key: str) -> Case:
    """The worker before was killed between master and index."""
    first = created(world, key)
    wire = Wire("after-call", 1, kill, "s3.PutObject")
    with wired(world, wire), suppress(Killed):
        handle_event(build_context(world), first.change)
    return Case(world, key, _spoilt(world, key), REFUSED, first.bytes_served)


def replaced_by_damage(world: IngestEnvironment, key: str) -> Case:
    """Deleted, and uploaded again as no image, before anybody looked."""
    handle_event(build_context(world), created(world, key).change)
    deletion = _deleted(world, key)
    world.upload(key, b"no picture")
    return Case(world, key, deletion, REFUSED, None)


def overtaken_deletion(world: IngestEnvironment, key: str) -> Case:
    """The same, but the event of the deletion arrives after that of the new upload."""
    handle_event(build_context(world), created(world, key).change)
    deletion = _deleted(world, key)
    handle_event(build_context(world), _spoilt(world, key))
    return Case(world, key, deletion, REFUSED, None)


def held(world: IngestEnvironment, key: str) -> Case:
    """Over an image that was let pass."""
    before, (change, body) = let_pass(world, key), uploaded(world, key)
    return Case(world, key, change, HELD, before, body)


def let_pass_at_once(world: IngestEnvironment, key: str) -> Case:
    """The verdict was there before the event, over an image that waits."""
    handle_event(build_context(world), uploaded(world, key)[0])
    change, body = uploaded(world, key)
    world.judge(key, flagged=False, body=body)
    return Case(world, key, change, READY, body)


def flagged_at_once(world: IngestEnvironment, key: str) -> Case:
    """The same bytes are served already, before moderation was required."""
    body = picture()
    world.blocks = False
    handle_event(build_context(world), world.change(key, world.upload(key, body)))
    world.blocks = True
    world.judge(key, flagged=True, body=body)
    return Case(world, key, world.change(key, world.upload(key, body)), HELD, None, body, flagged=True)


def judged_innocent(world: IngestEnvironment, key: str) -> Case:
    let_pass(world, key)
    body = waiting(world, key)
    world.judge(key, flagged=False, body=body)
    return Case(world, key, IngestEvent(EventKind.VERDICT, key, ""), READY, body)


def judged_guilty(world: IngestEnvironment, key: str) -> Case:
    before, body = let_pass(world, key), waiting(world, key)
    world.judge(key, flagged=True, body=body)
    return Case(world, key, IngestEvent(EventKind.VERDICT, key, ""), HELD, before, body, flagged=True)


def taken_back(world: IngestEnvironment, key: str) -> Case:
    body = let_pass(world, key)
    world.judge(key, flagged=True, body=body)
    return Case(world, key, IngestEvent(EventKind.VERDICT, key, ""), HELD, None, body, flagged=True)


def taken_back_of_two(world: IngestEnvironment, key: str) -> Case:
    """The served image is flagged while a newer one waits."""
    before, body = let_pass(world, key), waiting(world, key)
    world.judge(key, flagged=True, body=before)
    return Case(world, key, IngestEvent(EventKind.VERDICT, key, ""), HELD, None, body)


def released(world: IngestEnvironment, key: str) -> Case:
    let_pass(world, key)
    body = waiting(world, key)
    world.judge(key, flagged=True, body=body)
    handle_event(build_context(world), IngestEvent(EventKind.VERDICT, key, ""))
    return Case(world, key, IngestEvent(EventKind.RELEASE, key, ""), READY, body)


def refused_while_one_waits(world: IngestEnvironment, key: str) -> Case:
    before = let_pass(world, key)
    waiting(world, key)
    return Case(world, key, _spoilt(world, key), REFUSED, before)


def removed_while_one_waits(world: IngestEnvironment, key: str) -> Case:
    waiting(world, key)
    return Case(world, key, _deleted(world, key), REMOVED, None)


def late_deletion_while_one_waits(world: IngestEnvironment, key: str) -> Case:
    """The event of a deletion arrives after that of the next upload, which waits."""
    let_pass(world, key)
    deletion = _deleted(world, key)
    return Case(world, key, deletion, HELD, None, waiting(world, key))


def uploaded(world: IngestEnvironment, key: str) -> tuple[IngestEvent, bytes]:
    body = picture()
    return world.change(key, world.upload(key, body)), body


def waiting(world: IngestEnvironment, key: str) -> bytes:
    """Ingest a new image that is held."""
    change, body = uploaded(world, key)
    handle_event(build_context(world), change)
    return body


def let_pass(world: IngestEnvironment, key: str) -> bytes:
    """Ingest a new image that is served."""
    body = waiting(world, key)
    world.judge(key, flagged=False, body=body)
    handle_event(build_context(world), IngestEvent(EventKind.VERDICT, key, ""))
    return body


HOLDING = {
    scene.__name__: scene
    for scene in (
        held,
        let_pass_at_once,
        flagged_at_once,
        judged_innocent,
        judged_guilty,
        taken_back,
        taken_back_of_two,
        released,
        refused_while_one_waits,
        removed_while_one_waits,
        late_deletion_while_one_waits,
    )
}
OF_VERDICTS = ("judged_innocent", "judged_guilty", "taken_back", "taken_back_of_two", "released")

SCENES = {
    scene.__name__: scene
    for scene in (
        created,
        overwritten,
        duplicated,
        refused,
        refused_after_a_death,
        removed,
        replaced_by_damage,
        overtaken_deletion,
    )
}
MOMENTS = ("before-send", "after-call")


@pytest.fixture
def holding(world: IngestEnvironment) -> IngestEnvironment:
    """One where images wait for moderation."""
    world.blocks = True
    return world


@pytest.fixture
def world(aws: Callable[[str], Any]) -> IngestEnvironment:
    return IngestEnvironment.build(aws)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("scene", SCENES)
def test_killed_at_any_call_it_is_done_when_the_event_comes_again(
    world: IngestEnvironment, scene: str, moment: str
) -> None:
    killed_at_each_call(world, scene, SCENES[scene], moment)


@pytest.mark.parametrize("scene", HOLDING)
def test_killed_at_any_call_what_waits_is_where_it_belongs(holding: IngestEnvironment, scene: str) -> None:
    killed_at_each_call(holding, scene, HOLDING[scene], "after-call")


@pytest.mark.parametrize("scene", OF_VERDICTS)
def test_killed_at_any_call_no_image_is_lost_whose_upload_has_expired(holding: IngestEnvironment, scene: str) -> None:
    def expired(world: IngestEnvironment, key: str) -> Case:
        staged = HOLDING[scene](world, key)
        world.vault("uploads").erase(key)
        return staged

    killed_at_each_call(holding, scene, expired, "after-call")


def killed_at_each_call(
    world: IngestEnvironment, name: str, stage: Callable[[IngestEnvironment, str], Case], moment: str
) -> None:
    for at in select_calls(f"{name} {moment}", MOST_CALLS):
        staged = stage(world, f"{at}.jpg")
        wire = Wire(moment, at, kill)
        with wired(world, wire), suppress(Killed):
            handle_event(build_context(world), staged.change)
        staged.settle()
        staged.check()
        if not wire.reached:
            break
    assert 6 < at < MOST_CALLS - 1
    published = world.published()
    known = [(event["key"], event["version_id"], kind, event.get("flagged")) for kind, event in published]
    ids = dict(zip(known, (event["id"] for _, event in published), strict=True))
    assert all(ids[what] == event["id"] for what, (_, event) in zip(known, published, strict=True))


@contextmanager
def puts(world: IngestEnvironment) -> Iterator[list[dict[str, Any]]]:
    """The upload that is put meanwhile."""
    seen: list[dict[str, Any]] = []
    events = world.clients["s3"].meta.events
    events.register("provide-client-params.s3.PutObject", lambda params, **_: seen.append(dict(params)), unique_id="s")
    try:
        yield seen
    finally:
        events.unregister("provide-client-params.s3.PutObject", unique_id="s")


def test_a_preset_that_arrives_late_is_put_over_nothing_newer(world: IngestEnvironment) -> None:
    with puts(world) as late:
        for _ in range(2):
            handle_event(build_context(world), created(world, "a.jpg").change)
    final = created(world, "a.jpg")
    handle_event(build_context(world), final.change)
    presets = [put for put in late if put["Key"].startswith("derivatives/")]
    assert len(presets) >= 4
    for put in presets:
        with pytest.raises(ClientError, match="PreconditionFailed"):
            world.clients["s3"].put_object(**put)
    final.check()


def _overwritten(world: IngestEnvironment, key: str) -> IngestEvent:
    return created(world, key).change


def _deleted(world: IngestEnvironment, key: str) -> IngestEvent:
    world.clients["s3"].delete_object(Bucket=world.names["uploads"], Key=key)
    return world.change(key, world.next_sequencer(), "Object Deleted", "DeleteObject")


def _spoilt(world: IngestEnvironment, key: str) -> IngestEvent:
    return world.change(key, world.upload(key, b"no picture"))


def _anew(world: IngestEnvironment, key: str, _: Case) -> Case:
    return created(world, key)


def _back(world: IngestEnvironment, key: str, first: Case) -> Case:
    """The very bytes that were there at first: a master with them has the entity tag of the first one."""
    assert first.bytes_served is not None
    return Case(world, key, world.change(key, world.upload(key, first.bytes_served)), READY, first.bytes_served)


def _gone(world: IngestEnvironment, key: str, _: Case) -> Case:
    return Case(world, key, _deleted(world, key), REMOVED, None)


OLDER = {"overwrite": _overwritten, "delete": _deleted, "refusal": _spoilt}
NEWER = {"overwrite": _anew, "back": _back, "delete": _gone}


@dataclass
class Overtaking:
    """A newer event that is handled from beginning to end while another worker waits for its answer, and maybe dies."""

    newer: Callable[[IngestEnvironment, str, Case], Case]
    first: Case
    dies: bool
    scene: Case | None = None

    def overtake(self) -> None:
        world = self.first.world
        self.scene = self.newer(world, self.first.key, self.first)
        handle_event(build_context(world), self.scene.change)
        if self.dies:
            raise Killed


@pytest.mark.parametrize("dies", [False, True], ids=["lives", "dies"])
@pytest.mark.parametrize("newer", NEWER)
@pytest.mark.parametrize("older", OLDER)
def test_overtaken_at_any_call_the_newer_event_wins(
    world: IngestEnvironment, older: str, newer: str, dies: bool
) -> None:
    for at in select_calls(f"{older} {newer} {dies}", MOST_CALLS):
        first = created(world, f"{at}.jpg")
        handle_event(build_context(world), first.change)
        change, last = OLDER[older](world, first.key), Overtaking(NEWER[newer], first, dies)
        with wired(world, Wire("after-call", at, last.overtake)), suppress(Killed):
            handle_event(build_context(world), change)
        if last.scene is None:
            break
        if dies:
            world.now_s += 1000
            handle_event(build_context(world), change)
        last.scene.repair()
        last.scene.check()
    assert 5 < at < MOST_CALLS - 1


def _let_pass(world: IngestEnvironment, key: str, _: Case) -> Case:
    change, body = uploaded(world, key)
    world.judge(key, flagged=False, body=body)
    return Case(world, key, change, READY, body)


@pytest.mark.parametrize("dies", [False, True], ids=["lives", "dies"])
@pytest.mark.parametrize("newer", [_let_pass, _gone], ids=["overwrite", "delete"])
@pytest.mark.parametrize("older", ["held", "judged_innocent", "taken_back"])
def test_overtaken_at_any_call_a_verdict_makes_room(
    holding: IngestEnvironment, older: str, newer: Callable[[IngestEnvironment, str, Case], Case], dies: bool
) -> None:
    for at in select_calls(f"{older} {newer.__name__} {dies}", MOST_CALLS):
        first = HOLDING[older](holding, f"{at}.jpg")
        last = Overtaking(newer, first, dies)
        with wired(holding, Wire("after-call", at, last.overtake)), suppress(Killed, Busy):
            handle_event(build_context(holding), first.change)
        if last.scene is None:
            break
        if dies:
            holding.now_s += 1000
            with suppress(Busy):
                handle_event(build_context(holding), first.change)
        last.scene.repair()
        last.scene.check()
    assert 5 < at < MOST_CALLS - 1
