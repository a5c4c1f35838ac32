"""Kill infer before and after each call: the retry ends in the same state."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import pytest

from darkroom.findings import CLIENT, ENDPOINT, FACES, FALLBACK, Face, Finding, Findings, Region
from darkroom.image_keys import MASTERS
from darkroom.services.inference.messages import AnalysisRequest, RequestKind, parse_request
from tests.component.aws import sagemaker
from tests.component.services.kill_points import Killed, Wire, kill, wired
from tests.images.pictures import jpeg_photo
from tests.profiles import select_calls

from .harness import ALL, SMALL, InferEnvironment

MOST_CALLS = 60
STALE = "fit-cover_fv-1_g-face_h-400_w-400.auto-webp"


def picture(number: int) -> bytes:
    """A small JPEG unlike those with another number."""
    return jpeg_photo((60 + number, 40))


@dataclass
class Case:
    """A key, the request about it, and the expected end: ``by`` is the origin of the findings, "" for none."""

    world: InferEnvironment
    key: str
    request: AnalysisRequest
    by: str = ENDPOINT
    purged: bool = False

    def settle(self) -> None:
        """Messages that are retried: the message itself and those that workers sent."""
        self.world.now_s += 1000
        self.world.infer.handle(self.request)
        for text in self.world.sent[:5]:
            request = parse_request(text)
            if request is not None and (self.by != FALLBACK or request.again):
                self.world.infer.handle(request)
        self.world.sent.clear()

    def check(self) -> None:
        world, noted = self.world, self.world.noted(self.key)
        stored, sidecar = world.vectors.get(self.key), world.archive.read_sidecar("1", self.key)
        if not self.by:
            assert (noted.version, stored, sidecar) == (0, None, None)
            return
        findings = world.findings(self.key)
        tasks = ALL if self.by == ENDPOINT else SMALL
        assert {task: finding.origin for task, finding in findings.found.items()} == dict.fromkeys(tasks, self.by)
        assert findings.source_etag == world.etag(self.key)
        assert (noted.findings, noted.announced) == (findings, True)
        assert stored is not None
        assert stored.source_etag == findings.source_etag
        assert stored.model == ("gpu-similarity/2" if self.by == ENDPOINT else "cpu-similarity/1")
        events = [event for event in world.published() if event["key"] == self.key and event["by"] == self.by]
        assert len({event["id"] for event in events if event["source_etag"] == findings.source_etag}) == 1
        if world.block:
            assert self.key in [message["detail"]["object"]["key"] for message in world.messages("changes")]
        if self.purged:
            assert world.keys(f"derivatives/{self.key}/") == [f"derivatives/{self.key}/_/w-320.auto-webp"]
            assert self.key in [message["key"] for message in world.messages("purges")]


def ready(world: InferEnvironment, key: str, number: int) -> Case:
    return Case(world, key, AnalysisRequest(RequestKind.READY, key, world.master(key, picture(number))))


def judged(world: InferEnvironment, key: str, number: int) -> Case:
    world.block = True
    return ready(world, key, number)


def overwritten(world: InferEnvironment, key: str, number: int) -> Case:
    world.infer.handle(ready(world, key, number + 100).request)
    world.published()
    return ready(world, key, number)


def copied(world: InferEnvironment, key: str, number: int) -> Case:
    world.ready(f"{key}.first", picture(number), sha256=f"same {key}")
    sequencer = world.master(key, picture(number), sha256=f"same {key}")
    return Case(world, key, AnalysisRequest(RequestKind.READY, key, sequencer))


def fallen_back(world: InferEnvironment, key: str, number: int) -> Case:
    world.runtime.behave = sagemaker.dead
    return Case(world, key, ready(world, key, number).request, by=FALLBACK)


def improved(world: InferEnvironment, key: str, number: int) -> Case:
    """The endpoint is back and finds other faces than the small models; images have been made with the latter."""
    world.runtime.behave = sagemaker.dead
    first = ready(world, key, number)
    world.infer.handle(first.request)
    _with_pictures(world, key)
    world.runtime.behave, world.now_s = sagemaker.answer, world.now_s + 1000
    return Case(world, key, first.request.next_attempt(), purged=True)


def corrected(world: InferEnvironment, key: str, number: int) -> Case:
    """The client's findings have a face where there is none, and images have been made with it."""
    scene = ready(world, key, number)
    theirs = Finding(FACES, "client", "1", CLIENT, faces=(Face(Region(0, 0, 0.1, 0.1), 1.0),))
    world.known(key, Findings("1", world.etag(key), {FACES: theirs}, ALL[1:]))
    _with_pictures(world, key)
    return Case(world, key, scene.request, purged=True)


def removed(world: InferEnvironment, key: str, number: int) -> Case:
    world.infer.handle(ready(world, key, number).request)
    world.media.delete(MASTERS.name(key))
    return Case(world, key, AnalysisRequest(RequestKind.REMOVED, key, world.next_sequencer()), by="")


def _with_pictures(world: InferEnvironment, key: str) -> None:
    world.published()
    world.sent.clear()
    world.derivative(key, STALE)
    world.derivative(key, "w-320.auto-webp")


SCENES = {scene.__name__: scene for scene in (judged, overwritten, copied, fallen_back, improved, corrected, removed)}


@pytest.mark.parametrize("moment", ["before-send", "after-call"])
@pytest.mark.parametrize("scene", SCENES)
def test_killed_at_any_call_it_is_done_when_the_message_comes_again(
    world: InferEnvironment, scene: str, moment: str
) -> None:
    world.circuit = type(world.circuit)(max_failures=1000)
    for at in select_calls(f"{scene} {moment}", MOST_CALLS):
        staged = SCENES[scene](world, f"{at}.jpg", at)
        wire = Wire(moment, at, kill)
        with wired(world, wire), suppress(Killed):
            world.infer.handle(staged.request)
        staged.settle()
        staged.check()
        world.runtime.behave = sagemaker.answer
        if not wire.reached:
            break
    assert 8 < at < MOST_CALLS - 1


@dataclass
class Overtaking:
    """A newer master that is put and analysed while another worker waits for its answer."""

    scene: Case
    number: int
    deletes: bool
    done: bool = False

    def overtake(self) -> None:
        world, key = self.scene.world, self.scene.key
        self.done = True
        if self.deletes:
            world.removed(key)
            return
        sequencer = world.master(key, picture(self.number + 200))
        world.infer.handle(AnalysisRequest(RequestKind.READY, key, sequencer))


@pytest.mark.parametrize("deletes", [False, True], ids=["overwritten", "deleted"])
@pytest.mark.parametrize("scene", ["judged", "improved", "removed"])
def test_overtaken_at_any_call_the_newer_master_wins(world: InferEnvironment, scene: str, deletes: bool) -> None:
    world.circuit = type(world.circuit)(max_failures=1000)
    for at in select_calls(f"{scene} {deletes}", MOST_CALLS):
        staged = SCENES[scene](world, f"{at}.jpg", at)
        newer = Overtaking(staged, at, deletes)
        with wired(world, Wire("after-call", at, newer.overtake)):
            try:
                world.infer.handle(staged.request)
                done = True
            except Exception:  # then the message is retried
                done = False
        if not newer.done:
            break
        if not done:
            world.infer.handle(staged.request)
        for text in list(world.sent):
            request = parse_request(text)
            assert request is not None
            world.infer.handle(request)
        world.sent.clear()
        Case(world, staged.key, staged.request, by="" if deletes else ENDPOINT).check()
    assert 8 < at < MOST_CALLS - 1
