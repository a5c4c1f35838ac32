"""Kill infer before and after each call: the retry ends in the same state."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import pytest

from darkroom.findings import CLIENT, ENDPOINT, FACES, FALLBACK, Face, Finding, Findings, Region
from darkroom.image_keys import MASTERS
from darkroom_pipeline.services.analysis_requests import AnalysisRequest, RequestKind, parse_request
from tests.component.aws import sagemaker
from tests.component.services.kill_points import Killed, Wire, kill, wired
from tests.images.photographs import jpeg_photo
from tests.profiles import select_calls

from .harness import ALL, SMALL, InferEnvironment

MOST_CALLS = 60
STALE = "fit-cover_fv-1_g-face_h-400_w-400.auto-webp"


def image(number: int) -> bytes:
    """A small JPEG unlike those with another number."""
    return jpeg_photo((60 + number, 40))


@dataclass
class Case:
    """A key, the request about it, and the expected end: ``by`` is the origin of the findings, "" for none."""

    env: InferEnvironment
    key: str
    request: AnalysisRequest
    by: str = ENDPOINT
    purged: bool = False

    def settle(self) -> None:
        """Messages that are retried: the message itself and those that workers sent."""
        self.env.now_s += 1000
        self.env.infer.handle(self.request)
        for text in self.env.sent[:5]:
            request = parse_request(text)
            if request is not None and (self.by != FALLBACK or request.again):
                self.env.infer.handle(request)
        self.env.sent.clear()

    def check(self) -> None:
        env, noted = self.env, self.env.noted(self.key)
        stored, sidecar = env.vectors.get(self.key), env.archive.read_sidecar("1", self.key)
        if not self.by:
            assert (noted.version, stored, sidecar) == (0, None, None)
            assert env.searchable(self.key) == ("", "", ())
            return
        findings = env.findings(self.key)
        tasks = ALL if self.by == ENDPOINT else SMALL
        assert {task: finding.origin for task, finding in findings.found.items()} == dict.fromkeys(tasks, self.by)
        assert findings.source_etag == env.etag(self.key)
        assert (noted.findings, noted.announced) == (findings, True)
        assert stored is not None
        assert stored.source_etag == findings.source_etag
        assert env.searchable(self.key) == (
            ("gpu-similarity/2", "gpu-likeness/2", ("bridge", "river"))
            if self.by == ENDPOINT
            else ("cpu-similarity/1", "cpu-likeness/1", ("bridge", "castle"))
        )
        events = [event for event in env.published() if event["key"] == self.key and event["by"] == self.by]
        assert len({event["id"] for event in events if event["source_etag"] == findings.source_etag}) == 1
        if env.block:
            assert self.key in [message["detail"]["object"]["key"] for message in env.messages("changes")]
        if self.purged:
            assert env.keys(f"derivatives/{self.key}/") == [f"derivatives/{self.key}/_/w-320.auto-webp"]
            assert self.key in [message["key"] for message in env.messages("purges")]


def ready(env: InferEnvironment, key: str, number: int) -> Case:
    return Case(env, key, AnalysisRequest(RequestKind.READY, key, env.master(key, image(number))))


def judged(env: InferEnvironment, key: str, number: int) -> Case:
    env.block = True
    return ready(env, key, number)


def overwritten(env: InferEnvironment, key: str, number: int) -> Case:
    env.infer.handle(ready(env, key, number + 100).request)
    env.published()
    return ready(env, key, number)


def copied(env: InferEnvironment, key: str, number: int) -> Case:
    env.ready(f"{key}.first", image(number), sha256=f"same {key}")
    sequencer = env.master(key, image(number), sha256=f"same {key}")
    return Case(env, key, AnalysisRequest(RequestKind.READY, key, sequencer))


def fallen_back(env: InferEnvironment, key: str, number: int) -> Case:
    env.runtime.behave = sagemaker.dead
    return Case(env, key, ready(env, key, number).request, by=FALLBACK)


def improved(env: InferEnvironment, key: str, number: int) -> Case:
    """The endpoint is back and finds other faces than the small models; images have been made with the latter."""
    env.runtime.behave = sagemaker.dead
    first = ready(env, key, number)
    env.infer.handle(first.request)
    _with_images(env, key)
    env.runtime.behave, env.now_s = sagemaker.answer, env.now_s + 1000
    return Case(env, key, first.request.next_attempt(), purged=True)


def corrected(env: InferEnvironment, key: str, number: int) -> Case:
    """The client's findings have a face where there is none, and images have been made with it."""
    scene = ready(env, key, number)
    theirs = Finding(FACES, "client", "1", CLIENT, faces=(Face(Region(0, 0, 0.1, 0.1), 1.0),))
    env.known(key, Findings("1", env.etag(key), {FACES: theirs}, ALL[1:]))
    _with_images(env, key)
    return Case(env, key, scene.request, purged=True)


def removed(env: InferEnvironment, key: str, number: int) -> Case:
    env.infer.handle(ready(env, key, number).request)
    env.media.delete(MASTERS.name(key))
    return Case(env, key, AnalysisRequest(RequestKind.REMOVED, key, env.next_sequencer()), by="")


def _with_images(env: InferEnvironment, key: str) -> None:
    env.published()
    env.sent.clear()
    env.derivative(key, STALE)
    env.derivative(key, "w-320.auto-webp")


SCENES = {scene.__name__: scene for scene in (judged, overwritten, copied, fallen_back, improved, corrected, removed)}


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before-send", "after-call"])
@pytest.mark.parametrize("scene", SCENES)
def test_killed_at_any_call_it_is_done_when_the_message_comes_again(
    env: InferEnvironment, scene: str, moment: str
) -> None:
    env.circuit = type(env.circuit)(max_failures=1000)
    for at in select_calls(f"{scene} {moment}", MOST_CALLS):
        staged = SCENES[scene](env, f"{at}.jpg", at)
        wire = Wire(moment, at, kill)
        with wired(env, wire), suppress(Killed):
            env.infer.handle(staged.request)
        staged.settle()
        staged.check()
        env.runtime.behave = sagemaker.answer
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
        env, key = self.scene.env, self.scene.key
        self.done = True
        if self.deletes:
            env.removed(key)
            return
        sequencer = env.master(key, image(self.number + 200))
        env.infer.handle(AnalysisRequest(RequestKind.READY, key, sequencer))


@pytest.mark.sample(15)
@pytest.mark.parametrize("deletes", [False, True], ids=["overwritten", "deleted"])
@pytest.mark.parametrize("scene", ["judged", "improved", "removed"])
def test_overtaken_at_any_call_the_newer_master_wins(env: InferEnvironment, scene: str, deletes: bool) -> None:
    env.circuit = type(env.circuit)(max_failures=1000)
    for at in select_calls(f"{scene} {deletes}", MOST_CALLS):
        staged = SCENES[scene](env, f"{at}.jpg", at)
        newer = Overtaking(staged, at, deletes)
        with wired(env, Wire("after-call", at, newer.overtake)):
            try:
                env.infer.handle(staged.request)
                done = True
            except Exception:  # then the message is retried
                done = False
        if not newer.done:
            break
        if not done:
            env.infer.handle(staged.request)
        for text in list(env.sent):
            request = parse_request(text)
            assert request is not None
            env.infer.handle(request)
        env.sent.clear()
        Case(env, staged.key, staged.request, by="" if deletes else ENDPOINT).check()
    assert 8 < at < MOST_CALLS - 1
