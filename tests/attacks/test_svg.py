"""Expensive SVGs: each is refused by the estimate, rendered within the CPU limit, or abandoned at it. None hangs.

What is asserted is the response. CPU time is counted by the service itself, and reported here to guide the search.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings, target
from hypothesis import strategies as st
from obstore.store import MemoryStore

from darkroom.aws.s3_fast import FastBucket
from darkroom.http.response import to_response
from darkroom.plan.variants import AccessMode
from darkroom.services.deadline import CpuLimit, is_abandoned
from darkroom.services.serve.answers import TransformRequest
from darkroom.services.serve.transform import Transform
from tests.fixed_keys import FixedKeys
from tests.images.slow_svg import blurred, crossed, dashed, marked
from tests.tally import Tally
from tests.waiting import HANG_S, wait_until

pytestmark = pytest.mark.slow

MAX_BYTES = 1_000_000
BARE = "h-2560_w-2560.auto-webp"
"""The variant of a URL without options."""
LIMIT = CpuLimit(cpu_s=2.0, wall_s=HANG_S)
"""Less than that of a request, since abandoned renders go on in this process; no limit of elapsed time, which a busy
machine would exceed."""
ANSWERS = {200, 302, 413, 422}


@pytest.fixture(scope="module")
def bucket() -> FastBucket:
    return FastBucket(MemoryStore())


@pytest.fixture
def service(bucket: FastBucket) -> Iterator[Transform]:
    yield Transform(source=bucket, media=bucket, keys=FixedKeys(()), mode=AccessMode.OPEN, cpu_limit=LIMIT)
    wait_until(lambda: not is_abandoned(), "the abandoned render ends", HANG_S)


def status(service: Transform, key: str, variant: str) -> int:
    """The response to a request for the canonical path of ``variant``."""
    answer = service.answer(TransformRequest(path=f"/{key}/_/{variant}", request_path=f"/{key}/_/{variant}"))
    return int(str(to_response(answer, method="GET", viewer_url=f"/{key}")["statusCode"]))


ATTACKS = {
    "nine blurs": (blurred(9, 1000, 2500, 2500), BARE),
    "45,000 markers": (marked(45_000), "w-64.auto-webp"),
    "round dashes": (dashed(20), BARE),
    "a polygon that crosses itself": (crossed(8_000), BARE),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_and_marked(
    name: str, service: Transform, bucket: FastBucket, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, variant = ATTACKS[name]
    bucket.put("masters/attack.svg", body, {})
    first = status(service, "attack.svg", variant)
    wait_until(lambda: not is_abandoned(), "the abandoned render ends", HANG_S)
    monkeypatch.setattr("darkroom.imaging.render.pipeline.render", None)
    assert first in (413, 422)
    assert status(service, "attack.svg", variant) == first
    tally.add("requests", 2)


@pytest.mark.parametrize(
    ("body", "variant"), [(blurred(3, 1000, 2500, 2500), BARE), (marked(20_000), "w-64.auto-webp")]
)
def test_the_cpu_limit_does_not_need_the_estimate(
    body: bytes, variant: str, service: Transform, bucket: FastBucket, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("masters/unknown.svg", body, {})
    monkeypatch.setattr("darkroom.imaging.formats.svg.sanitise.check_cost", lambda *_: None)
    assert status(service, "unknown.svg", variant) == 422
    tally.add("requests")


LENGTHS = st.sampled_from(["0", "0.01", "0.3", "1", "7", "50", "100", "999", "1e6"])
COUNTS = st.sampled_from([1, 2, 9, 40, 300, 4000])
REFERENCES = st.sampled_from("abcdef")
TRANSFORMS = st.sampled_from(["", "scale(9)", "scale(.01)", "rotate(33)", "translate(40 40)"])
PRIMITIVES = st.sampled_from(
    [
        '<feGaussianBlur stdDeviation="{}"/>',
        '<feDropShadow dx="{}"/>',
        '<feColorMatrix type="saturate" values="0.5"/>',
        '<feComposite in2="SourceGraphic" operator="arithmetic" k1="{}"/>',
        '<feBlend in2="SourceGraphic" mode="screen"/>',
        '<feMerge><feMergeNode/><feMergeNode in="SourceGraphic"/></feMerge>',
        '<feOffset dx="{}"/>',
    ]
)
PAINT = st.sampled_from(
    [
        'fill="url(#{})"',
        'filter="url(#{})"',
        'mask="url(#{})"',
        'clip-path="url(#{})"',
        'marker-mid="url(#{})"',
        'style="filter:url(#{})"',
        'stroke="red" stroke-width="9" stroke-linecap="round" stroke-dasharray="3"',
        'stroke="red" stroke-dasharray="0.1"',
        'opacity="0.5"',
        'style="mix-blend-mode:screen"',
        'class="x"',
        "",
    ]
)
SEGMENTS = st.sampled_from(["h{0}v{0}", "h0", "l{0} -{0}", "M0 0L{0} {0}", "c{0} 0 0 {0} 9 9", "a{0} {0} 0 0 1 {0} 9"])


@st.composite
def shapes(draw: st.DrawFn) -> str:
    paint = draw(PAINT).format(draw(REFERENCES))
    size, transform = draw(LENGTHS), draw(TRANSFORMS)
    body = draw(
        st.sampled_from(
            [
                f'<rect width="{size}" height="{size}" {paint} transform="{transform}"/>',
                f'<circle r="{size}" {paint}/>',
                f'<use href="#{draw(REFERENCES)}" {paint} transform="{transform}"/>',
                f'<text y="50" font-size="{size}" {paint}>{"Darkroom " * min(9, draw(COUNTS))}</text>',
                f'<path d="M0 0{draw(SEGMENTS).format(size) * draw(COUNTS)}" {paint}/>',
            ]
        )
    )
    return str(body) * draw(COUNTS)


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """Definitions that refer to each other in any way, and shapes that use them."""
    parts = []
    for name in "abcdef":
        inside = "".join(draw(st.lists(shapes(), max_size=2)))
        kind = draw(
            st.sampled_from(["g", "symbol", "mask", "pattern", "marker", "clipPath", "filter", "linearGradient"])
        )
        if kind == "filter":
            inside = draw(PRIMITIVES).format(draw(LENGTHS)) * draw(st.sampled_from([1, 3, 9, 40]))
        parts.append(f'<{kind} id="{name}" width="{draw(LENGTHS)}" height="{draw(LENGTHS)}">{inside}</{kind}>')
    style = f"<style>.x{{filter:url(#{draw(REFERENCES)})}} g rect{{mask:url(#{draw(REFERENCES)})}}</style>"
    drawn = "".join(draw(st.lists(shapes(), min_size=1, max_size=4)))
    width, height = draw(st.sampled_from([(9, 9), (300, 200), (1500, 1000), (2001, 2001), (6000, 6000)]))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
        f"{style}<defs>{''.join(parts)}</defs>{drawn}</svg>"
    ).encode()


@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=60)
@given(body=documents(), variant=st.sampled_from([BARE, "w-64.auto-webp", "w-1920.auto-webp"]))
def test_no_svg_under_a_megabyte_hangs(body: bytes, variant: str, tally: Tally) -> None:
    body = body[:MAX_BYTES] if len(body) <= MAX_BYTES else b"<svg xmlns='http://www.w3.org/2000/svg'/>"
    bucket = FastBucket(MemoryStore())
    bucket.put("masters/drawing.svg", body, {})
    started_s = time.process_time()
    service = Transform(source=bucket, media=bucket, keys=FixedKeys(()), mode=AccessMode.OPEN, cpu_limit=LIMIT)
    answered = status(service, "drawing.svg", variant)
    spent_s = time.process_time() - started_s
    wait_until(lambda: not is_abandoned(), "the abandoned render ends", HANG_S)
    target(spent_s if answered == 200 else 0.0, label="CPU time of what is served")
    assert answered in ANSWERS
    tally.add("requests")
    tally.add(f"status {answered}")
