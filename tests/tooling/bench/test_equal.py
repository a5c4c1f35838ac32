"""Tests of equal quality: peers respond with the requested quality, and the lower bound matches the handler."""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
from base64 import b64decode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bench.cases import Case
from bench.compare import Makes
from bench.competitors.bare import bare
from bench.competitors.darkroom import darkroom
from bench.competitors.dit import dit
from bench.competitors.model import build_api_gateway_event, build_function_url_event, build_trace_header
from bench.competitors.node import node
from bench.competitors.thumbor import thumbor
from bench.emulator import install_emulator
from bench.equal_quality import find_neighbours, interpolate_bytes, match, match_peer
from bench.images import Recipe, make_photograph
from bench.link.process import run_link
from bench.lower_bound import LowerBound, measure_lower_bound, start_worker
from bench.measure import Entry, build_event, start
from bench.processes import list_children
from bench.quality import resize_reference, ssimulacra2
from bench.runtime import Sandbox
from darkroom.aws.telemetry.traces import read_header
from darkroom.plan.canonical import parse_path
from local.ports import find_free_ports

pytestmark = pytest.mark.slow

NEEDS_NPM = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
OF_NPM = [pytest.param(make, marks=NEEDS_NPM) for make in (dit, node)]
WEBP = Case("small", "small.jpg", 320)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("images") / "small.jpg"
    make_photograph(Recipe("small.jpg", "coffee", 1200, 900)).save(file, quality=90)
    return file


@given(st.lists(st.floats(0, 100), min_size=100, max_size=100, unique=True).map(sorted), st.floats(0, 100))
def test_two_neighbouring_qualities_have_the_target_score_between_them(scores: list[float], target: float) -> None:
    asked = []

    def score_of(quality: int) -> float:
        asked.append(quality)
        return scores[quality - 1]

    low, high = find_neighbours(target, score_of)
    assert high == low + 1
    assert min(abs(score - target) for score in scores) in {abs(scores[end - 1] - target) for end in (low, high)}
    assert len(asked) == len(set(asked)) <= 7


def test_bytes_at_a_score_are_on_the_line_through_images() -> None:
    assert interpolate_bytes(70.5, [(70, 1000), (71, 4000)]) == 2000
    assert interpolate_bytes(71, [(70, 1000), (71, 1100), (72, 1210)]) == 1100
    assert interpolate_bytes(70.5, [(70, 1000), (71.5, 4000), (69.5, 1000), (71, 4000)]) == 2000
    assert interpolate_bytes(1, [(70, 1000), (70, 4000)]) == 2000


@pytest.mark.parametrize("target", [31.0, 55.0, 60.2, 74.9, 88.0])
def test_a_match_has_the_bytes_at_the_target_score(target: float) -> None:
    """The score rises by one a step of quality, and bytes double every twenty; no image is made twice."""
    asked: list[int] = []

    def image(quality: int) -> tuple[float, int]:
        asked.append(quality)
        return float(quality), round(10_000 * 2 ** (quality / 20))

    assert match(target, image).equal_bytes == pytest.approx(10_000 * 2 ** (target / 20), rel=0.001)
    assert len(asked) == len(set(asked)) <= 13


def test_a_match_is_the_best_of_uneven_steps() -> None:
    """80 scores less than 79: bisection alone would find 80 and 81, which are both further off."""
    scores = {quality: float(quality) for quality in range(1, 101)} | {79: 79.9, 80: 79.1, 81: 81.5}
    found = match(80.0, lambda quality: (scores[quality], 1000))
    assert (found.quality, found.score, found.equal_bytes) == (79, 79.9, 1000)
    assert match(200.0, lambda quality: (scores[quality], 1000)).quality == 100
    assert match(-5.0, lambda quality: (scores[quality], 1000)).quality == 1


def test_a_lower_bound_waits_for_the_first_byte_and_overlaps_the_rest() -> None:
    slow_decode = LowerBound(decode_ms=30, encode_ms=20, source_bytes=850_000, image_bytes=85_000)
    assert slow_decode.render_ms == 50
    assert slow_decode.request_ms(25, 85) == 25 + 30 + 20
    slow_line = LowerBound(decode_ms=5, encode_ms=20, source_bytes=850_000, image_bytes=0)
    assert slow_line.request_ms(25, 85) == 25 + 10 + 20


def test_the_function_gets_canonical_paths() -> None:
    plan = parse_path(build_function_url_event(WEBP, 7, 80)["rawPath"])
    assert (plan.key, plan.width, plan.format, plan.quality) == ("7/small.jpg", 320, "webp", None)
    assert parse_path(build_function_url_event(WEBP, 7, 61)["rawPath"]).quality == 61


def test_every_request_has_a_sampled_trace_of_its_own() -> None:
    one, two = (read_header(build_trace_header(number)) for number in (1, 2))
    assert one is not None
    assert two is not None
    assert one.sampled
    assert one.root != two.root
    assert len(one.root) == len("1-67000000-") + 24


def test_dit_gets_its_own_events() -> None:
    asked = build_api_gateway_event(WEBP, 7, 61)
    assert json.loads(b64decode(asked["path"].removeprefix("/"))) == {
        "bucket": "media",
        "key": "masters/7/small.jpg",
        "edits": {"resize": {"width": 320}, "webp": {"quality": 61}, "toFormat": "webp"},
    }


@pytest.mark.parametrize("make", [darkroom, thumbor, *OF_NPM])
def test_a_competitor_answers_in_each_format_with_the_quality_requested(image: Path, make: Makes) -> None:
    with run_link([image], 0, 1000) as url, start(make(url), install_emulator(), None) as running:
        for number, form in enumerate(("webp", "jpeg")):
            case = Case("small", "small.jpg", 320, form)
            low, high = (
                b64decode(running.invoke(Entry(make(url), quality).event(case, 10 * number + quality)).answer["body"])
                for quality in (30, 90)
            )
            assert {Image.open(io.BytesIO(body)).size for body in (low, high)} == {(320, 240)}
            assert {Image.open(io.BytesIO(body)).format for body in (low, high)} == {form.upper()}
            assert len(low) < len(high) / 2


def test_a_peer_is_matched_once(image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.equal_quality.FOUND", tmp_path)
    target = resize_reference(image, 320)
    out = io.BytesIO()
    Image.fromarray(target).save(out, "WEBP", quality=60)
    with run_link([image], 0, 1000) as url:
        found = match_peer(WEBP, out.getvalue(), target, thumbor(url), install_emulator(), None)
        assert abs(found.score - ssimulacra2(out.getvalue(), target)) < 0.5
        assert abs(found.equal_bytes / len(out.getvalue()) - 1) < 0.25
        assert match_peer(WEBP, out.getvalue(), target, thumbor("http://nowhere"), install_emulator(), None) == found


@pytest.mark.parametrize("form", ["webp", "jpeg", "avif"])
def test_the_floor_makes_the_functions_image(image: Path, form: str) -> None:
    case = Case("small", "small.jpg", 320, form)
    with run_link([image], 0, 1000) as url, Sandbox(install_emulator(), darkroom(url), None) as sandbox:
        answered = b64decode(sandbox.invoke(build_event(case, 1)).answer["body"])
    with start_worker(case, image, None) as worker:
        decode_ms, encode_ms = worker.stages_ms()
        assert decode_ms > 0
        assert encode_ms > 0
        assert list(worker.made().values()) == [answered]
    assert measure_lower_bound(case, image, None, 1).image_bytes == len(answered)


def test_a_request_is_traced_as_in_lambda(image: Path) -> None:
    with run_link([image], 0, 1000) as url, Sandbox(install_emulator(), darkroom(url), None) as sandbox:
        sandbox.invoke(build_event(WEBP, 5))
        segments = sandbox.segments()
    assert {"parse", "fetch", "decode", "encode", "store", "answer"} <= {one["name"] for one in segments}
    assert {one["trace_id"] for one in segments} == {"1-67000000-000000000000000000000005"}


@pytest.mark.parametrize(("make", "is_late"), [(darkroom, True), (lambda _: bare(), False)])
def test_a_request_ends_when_the_runtime_has_finished(image: Path, make: Makes, is_late: bool) -> None:
    """Work after the response is billed, and ends before the next request. The link holds each PUT back."""
    with run_link([image], 200, 1000) as url, Sandbox(install_emulator(), make(url), None) as sandbox:
        found = [sandbox.invoke(Entry(make(url)).event(WEBP, number)) for number in range(2)]
    assert all(0 < one.ms < one.billed_ms if is_late else 0 < one.ms <= one.billed_ms for one in found)


def test_an_emulator_whose_port_is_in_use_starts_again(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with run_link([image], 0, 1000) as url, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        offers = iter([(find_free_ports(1)[0], taken.getsockname()[1]), find_free_ports(2)])
        monkeypatch.setattr("bench.runtime.find_free_ports", lambda count: next(offers))
        with Sandbox(install_emulator(), darkroom(url), None) as sandbox:
            assert sandbox.invoke(build_event(WEBP, 6)).answer["statusCode"] == 200
    assert next(offers, None) is None


def test_a_sandbox_that_has_ended_uses_nothing_any_more() -> None:
    """A process that is still releasing its memory slows the next one's start on the same core."""
    with Sandbox(install_emulator(), bare(), None) as sandbox:
        sandbox.invoke(build_event(WEBP, 8))
        [emulating] = [pid for pid in list_children(os.getpid()) if "aws-lambda-rie" in command_of(pid)]
        [working] = list_children(emulating)
    assert command_of(working) == ""


def command_of(pid: int) -> str:
    """Return the command line of a process, "" if it has ended or is a zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
