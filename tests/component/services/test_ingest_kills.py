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

from darkroom.errors import Busy
from darkroom.plan.presets import Presets
from darkroom.services.caching import SOURCE_ETAG
from darkroom_pipeline.aws.record import HELD, READY, REFUSED, REMOVED
from darkroom_pipeline.services.ingest.context import IngestContext
from darkroom_pipeline.services.ingest.events import EventKind, IngestEvent, read_event
from darkroom_pipeline.services.ingest.handler import handle_event
from tests.profiles import select_calls

from .ingest_environment import IngestEnvironment
from .kill_points import Killed, Wire, kill, wired

ONE_PRESET = Presets({"w320": {"w": "320", "f": "webp"}, "tiny": {"w": "8", "f": "webp"}}, {}, ("w320", "tiny"))
MOST_CALLS = 60


def build_context(env: IngestEnvironment) -> IngestContext:
    found = env.context
    object.__setattr__(found, "presets", ONE_PRESET)
    return found


_seeds = itertools.count(1)


def image() -> bytes:
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

    env: IngestEnvironment
    key: str
    change: IngestEvent
    state: str
    bytes_served: bytes | None
    bytes_held: bytes | None = None
    flagged: bool = False

    def settle(self) -> None:
        """Handle the retried change and the messages of the workers."""
        for _ in range(4):
            self.env.now_s += 1000
            with suppress(Busy):
                handle_event(build_context(self.env), self.change)
                break
        self.repair()

    def repair(self) -> None:
        for _ in range(3):
            self.env.now_s += 1000
            for change in mends(self.env):
                handle_event(build_context(self.env), change)

    def check(self) -> None:
        record, media = self.env.record(self.key), self.env.vault("media")
        assert (record.state, record.announced) == (self.state, True)
        master = media.head(f"masters/{self.key}")
        assert self.env.claims.is_consistent(record)
        self._check_what_waits()
        stored = self.env.keys("media", f"derivatives/{self.key}/_/")
        assert (master is None) == (self.bytes_served is None)
        if master is None:
            assert stored == []
            return
        assert pixels(self.env.body("media", f"masters/{self.key}")) == pixels(self.bytes_served)
        assert {f"derivatives/{name}" for name in record.derivatives} <= set(stored)
        for name in stored:
            head = media.head(name)
            assert head is not None
            assert head.metadata[SOURCE_ETAG] == master.etag.strip('"')

    def _check_what_waits(self) -> None:
        record = self.env.record(self.key)
        waiting = self.env.keys("media", f"held/{self.key}")
        assert waiting == ([f"held/{self.key}"] if self.bytes_held else [])
        assert bool(record.held) == bool(self.bytes_held)
        if self.bytes_held:
            assert pixels(self.env.body("media", waiting[0])) == pixels(self.bytes_held)
            assert record.held.flagged is self.flagged
            head = self.env.vault("media").head(waiting[0])
            assert head is not None
            assert head.etag == record.held.master.etag


def pixels(data: bytes | None) -> bytes:
    assert data is not None
    return Image.open(io.BytesIO(data)).tobytes()


def mends(env: IngestEnvironment) -> list[IngestEvent]:
    """The messages of the workers without their delay."""
    found = [read_event(text) for text in env.sent]
    env.sent.clear()
    return [change for change in found if change is not None]


def created(env: IngestEnvironment, key: str) -> Case:
    body = image()
    return Case(env, key, env.change(key, env.upload(key, body)), READY, body)


def overwritten(env: IngestEnvironment, key: str) -> Case:
    handle_event(build_context(env), created(env, key).change)
    stale = f"derivatives/{key}/_/w-5.webp"
    master = env.record(key).master.etag.strip('"')
    env.vault("media").put(stale, b"x", headers={}, metadata={SOURCE_ETAG: master})
    return created(env, key)


def duplicated(env: IngestEnvironment, key: str) -> Case:
    first = created(env, f"{key}.first")
    handle_event(build_context(env), first.change)
    assert first.bytes_served is not None
    return Case(env, key, env.change(key, env.upload(key, first.bytes_served)), READY, first.bytes_served)


def refused(env: IngestEnvironment, key: str) -> Case:
    first = created(env, key)
    handle_event(build_context(env), first.change)
    change = env.change(key, env.upload(key, b"no image"))
    return Case(env, key, change, REFUSED, first.bytes_served)


def removed(env: IngestEnvironment, key: str) -> Case:
    handle_event(build_context(env), created(env, key).change)
    env.clients["s3"].delete_object(Bucket=env.names["uploads"], Key=key)
    change = env.change(key, env.next_sequencer(), "Object Deleted", "DeleteObject")
    return Case(env, key, change, REMOVED, None)


def refused_after_a_death(env: IngestEnvironment, key: str) -> Case:
    """The worker before was killed between master and index."""
    first = created(env, key)
    wire = Wire("after-call", 1, kill, "s3.PutObject")
    with wired(env, wire), suppress(Killed):
        handle_event(build_context(env), first.change)
    return Case(env, key, _spoilt(env, key), REFUSED, first.bytes_served)


def replaced_by_damage(env: IngestEnvironment, key: str) -> Case:
    """Deleted, and uploaded again as no image, before anybody looked."""
    handle_event(build_context(env), created(env, key).change)
    deletion = _deleted(env, key)
    env.upload(key, b"no image")
    return Case(env, key, deletion, REFUSED, None)


def overtaken_deletion(env: IngestEnvironment, key: str) -> Case:
    """The same, but the event of the deletion arrives after that of the new upload."""
    handle_event(build_context(env), created(env, key).change)
    deletion = _deleted(env, key)
    handle_event(build_context(env), _spoilt(env, key))
    return Case(env, key, deletion, REFUSED, None)


def held(env: IngestEnvironment, key: str) -> Case:
    """Over an image that was let pass."""
    before, (change, body) = let_pass(env, key), uploaded(env, key)
    return Case(env, key, change, HELD, before, body)


def let_pass_at_once(env: IngestEnvironment, key: str) -> Case:
    """The verdict was there before the event, over an image that waits."""
    handle_event(build_context(env), uploaded(env, key)[0])
    change, body = uploaded(env, key)
    env.judge(key, flagged=False, body=body)
    return Case(env, key, change, READY, body)


def flagged_at_once(env: IngestEnvironment, key: str) -> Case:
    """The same bytes are served already, before moderation was required."""
    body = image()
    env.blocks = False
    handle_event(build_context(env), env.change(key, env.upload(key, body)))
    env.blocks = True
    env.judge(key, flagged=True, body=body)
    return Case(env, key, env.change(key, env.upload(key, body)), HELD, None, body, flagged=True)


def judged_innocent(env: IngestEnvironment, key: str) -> Case:
    let_pass(env, key)
    body = waiting(env, key)
    env.judge(key, flagged=False, body=body)
    return Case(env, key, IngestEvent(EventKind.VERDICT, key, ""), READY, body)


def judged_guilty(env: IngestEnvironment, key: str) -> Case:
    before, body = let_pass(env, key), waiting(env, key)
    env.judge(key, flagged=True, body=body)
    return Case(env, key, IngestEvent(EventKind.VERDICT, key, ""), HELD, before, body, flagged=True)


def taken_back(env: IngestEnvironment, key: str) -> Case:
    body = let_pass(env, key)
    env.judge(key, flagged=True, body=body)
    return Case(env, key, IngestEvent(EventKind.VERDICT, key, ""), HELD, None, body, flagged=True)


def taken_back_of_two(env: IngestEnvironment, key: str) -> Case:
    """The served image is flagged while a newer one waits."""
    before, body = let_pass(env, key), waiting(env, key)
    env.judge(key, flagged=True, body=before)
    return Case(env, key, IngestEvent(EventKind.VERDICT, key, ""), HELD, None, body)


def released(env: IngestEnvironment, key: str) -> Case:
    let_pass(env, key)
    body = waiting(env, key)
    env.judge(key, flagged=True, body=body)
    handle_event(build_context(env), IngestEvent(EventKind.VERDICT, key, ""))
    return Case(env, key, IngestEvent(EventKind.RELEASE, key, ""), READY, body)


def refused_while_one_waits(env: IngestEnvironment, key: str) -> Case:
    before = let_pass(env, key)
    waiting(env, key)
    return Case(env, key, _spoilt(env, key), REFUSED, before)


def removed_while_one_waits(env: IngestEnvironment, key: str) -> Case:
    waiting(env, key)
    return Case(env, key, _deleted(env, key), REMOVED, None)


def late_deletion_while_one_waits(env: IngestEnvironment, key: str) -> Case:
    """The event of a deletion arrives after that of the next upload, which waits."""
    let_pass(env, key)
    deletion = _deleted(env, key)
    return Case(env, key, deletion, HELD, None, waiting(env, key))


def uploaded(env: IngestEnvironment, key: str) -> tuple[IngestEvent, bytes]:
    body = image()
    return env.change(key, env.upload(key, body)), body


def waiting(env: IngestEnvironment, key: str) -> bytes:
    """Ingest a new image that is held."""
    change, body = uploaded(env, key)
    handle_event(build_context(env), change)
    return body


def let_pass(env: IngestEnvironment, key: str) -> bytes:
    """Ingest a new image that is served."""
    body = waiting(env, key)
    env.judge(key, flagged=False, body=body)
    handle_event(build_context(env), IngestEvent(EventKind.VERDICT, key, ""))
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
def holding(env: IngestEnvironment) -> IngestEnvironment:
    """One where images wait for moderation."""
    env.blocks = True
    return env


@pytest.fixture
def env(aws: Callable[[str], Any]) -> IngestEnvironment:
    return IngestEnvironment.build(aws)


@pytest.mark.sample(9)
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("scene", SCENES)
def test_killed_at_any_call_it_is_done_when_the_event_comes_again(
    env: IngestEnvironment, scene: str, moment: str
) -> None:
    killed_at_each_call(env, scene, SCENES[scene], moment)


@pytest.mark.slow
@pytest.mark.parametrize("scene", HOLDING)
def test_killed_at_any_call_what_waits_is_where_it_belongs(holding: IngestEnvironment, scene: str) -> None:
    killed_at_each_call(holding, scene, HOLDING[scene], "after-call")


@pytest.mark.slow
@pytest.mark.parametrize("scene", OF_VERDICTS)
def test_killed_at_any_call_no_image_is_lost_whose_upload_has_expired(holding: IngestEnvironment, scene: str) -> None:
    def expired(env: IngestEnvironment, key: str) -> Case:
        staged = HOLDING[scene](env, key)
        env.vault("uploads").erase(key)
        return staged

    killed_at_each_call(holding, scene, expired, "after-call")


def killed_at_each_call(
    env: IngestEnvironment, name: str, stage: Callable[[IngestEnvironment, str], Case], moment: str
) -> None:
    for at in select_calls(f"{name} {moment}", MOST_CALLS):
        staged = stage(env, f"{at}.jpg")
        wire = Wire(moment, at, kill)
        with wired(env, wire), suppress(Killed):
            handle_event(build_context(env), staged.change)
        staged.settle()
        staged.check()
        if not wire.reached:
            break
    assert 6 < at < MOST_CALLS - 1
    published = env.published()
    known = [(event["key"], event["version_id"], kind, event.get("flagged")) for kind, event in published]
    ids = dict(zip(known, (event["id"] for _, event in published), strict=True))
    assert all(ids[what] == event["id"] for what, (_, event) in zip(known, published, strict=True))


@contextmanager
def puts(env: IngestEnvironment) -> Iterator[list[dict[str, Any]]]:
    """The upload that is put meanwhile."""
    seen: list[dict[str, Any]] = []
    events = env.clients["s3"].meta.events
    events.register("provide-client-params.s3.PutObject", lambda params, **_: seen.append(dict(params)), unique_id="s")
    try:
        yield seen
    finally:
        events.unregister("provide-client-params.s3.PutObject", unique_id="s")


@pytest.mark.slow
def test_a_preset_that_arrives_late_is_put_over_nothing_newer(env: IngestEnvironment) -> None:
    with puts(env) as late:
        for _ in range(2):
            handle_event(build_context(env), created(env, "a.jpg").change)
    final = created(env, "a.jpg")
    handle_event(build_context(env), final.change)
    presets = [put for put in late if put["Key"].startswith("derivatives/")]
    assert len(presets) >= 4
    for put in presets:
        with pytest.raises(ClientError, match="PreconditionFailed"):
            env.clients["s3"].put_object(**put)
    final.check()


def _overwritten(env: IngestEnvironment, key: str) -> IngestEvent:
    return created(env, key).change


def _deleted(env: IngestEnvironment, key: str) -> IngestEvent:
    env.clients["s3"].delete_object(Bucket=env.names["uploads"], Key=key)
    return env.change(key, env.next_sequencer(), "Object Deleted", "DeleteObject")


def _spoilt(env: IngestEnvironment, key: str) -> IngestEvent:
    return env.change(key, env.upload(key, b"no image"))


def _anew(env: IngestEnvironment, key: str, _: Case) -> Case:
    return created(env, key)


def _back(env: IngestEnvironment, key: str, first: Case) -> Case:
    """The very bytes that were there at first: a master with them has the entity tag of the first one."""
    assert first.bytes_served is not None
    return Case(env, key, env.change(key, env.upload(key, first.bytes_served)), READY, first.bytes_served)


def _gone(env: IngestEnvironment, key: str, _: Case) -> Case:
    return Case(env, key, _deleted(env, key), REMOVED, None)


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
        env = self.first.env
        self.scene = self.newer(env, self.first.key, self.first)
        handle_event(build_context(env), self.scene.change)
        if self.dies:
            raise Killed


@pytest.mark.sample(15)
@pytest.mark.parametrize("dies", [False, True], ids=["lives", "dies"])
@pytest.mark.parametrize("newer", NEWER)
@pytest.mark.parametrize("older", OLDER)
def test_overtaken_at_any_call_the_newer_event_wins(env: IngestEnvironment, older: str, newer: str, dies: bool) -> None:
    for at in select_calls(f"{older} {newer} {dies}", MOST_CALLS):
        first = created(env, f"{at}.jpg")
        handle_event(build_context(env), first.change)
        change, last = OLDER[older](env, first.key), Overtaking(NEWER[newer], first, dies)
        with wired(env, Wire("after-call", at, last.overtake)), suppress(Killed):
            handle_event(build_context(env), change)
        if last.scene is None:
            break
        if dies:
            env.now_s += 1000
            handle_event(build_context(env), change)
        last.scene.repair()
        last.scene.check()
    assert 5 < at < MOST_CALLS - 1


@pytest.mark.sample(2)
@pytest.mark.parametrize("dies", [False, True], ids=["lives", "dies"])
@pytest.mark.parametrize("older", ["delete", "taken_back"])
def test_overtaken_at_any_call_by_a_refusal_an_image_is_taken_down(
    env: IngestEnvironment, older: str, dies: bool
) -> None:
    """A refusal leaves the earlier image served: what the older event said of it still holds."""
    env.blocks = older == "taken_back"
    for at in select_calls(f"{older} refusal {dies}", MOST_CALLS):
        first = taken_back(env, f"{at}.jpg") if env.blocks else created(env, f"{at}.jpg")
        if not env.blocks:
            handle_event(build_context(env), first.change)
        change = first.change if env.blocks else _deleted(env, first.key)
        last = Overtaking(lambda env, key, _: Case(env, key, _spoilt(env, key), REFUSED, None), first, dies)
        again = overtaken(env, change, at, last)
        if last.scene is None:
            break
        last.scene.repair()
        if again:
            env.now_s += 1000
            handle_event(build_context(env), change)
            last.scene.repair()
        assert env.keys("media", f"masters/{first.key}") == []
        assert env.keys("media", f"derivatives/{first.key}/") == []
    assert 5 < at < MOST_CALLS - 1


def overtaken(env: IngestEnvironment, change: IngestEvent, at: int, last: Overtaking) -> bool:
    """Handle ``change`` until ``last`` overtakes it at a call; return whether its message is received again."""
    try:
        with wired(env, Wire("after-call", at, last.overtake)):
            handle_event(build_context(env), change)
    except (Killed, Busy):
        return True
    return False


def _let_pass(env: IngestEnvironment, key: str, _: Case) -> Case:
    change, body = uploaded(env, key)
    env.judge(key, flagged=False, body=body)
    return Case(env, key, change, READY, body)


@pytest.mark.slow
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
