"""The edge function's bytes and CPU cost, compared with an earlier version and with a trivial function."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from darkroom.plan.presets import load_default_presets
from darkroom.plan.variants import AccessMode
from darkroom_pipeline.plan.edge_settings import build_edge_entries
from functions.edge.build import MAX_BYTES, edge_code

from .cost import TRIVIAL, operations
from .reference import ViewerRequest

CODE = edge_code()
BROWSER = [("accept", "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8")]
SIGNED = f"/photo.jpg?w=800&h=600&fit=cover&g=fp:0.5:0.3&q=80&s={'A' * 43}"
REQUESTS = {
    "a ladder width": ViewerRequest("/photo.jpg?w=800", BROWSER),
    "a bare key": ViewerRequest("/a/b/photo.jpg", BROWSER),
    "a preset": ViewerRequest("/photo.jpg?preset=cover", BROWSER),
    "a signed request": ViewerRequest(SIGNED, [*BROWSER, ("sec-ch-dpr", "2")]),
    "a key of other characters": ViewerRequest("/caf%C3%A9%20(1).jpg?w=800", BROWSER),
    "a wrong value": ViewerRequest("/photo.jpg?w=99999", BROWSER),
    "no signature": ViewerRequest("/photo.jpg?w=801", BROWSER),
}
BEFORE = {
    "a ladder width": 9_587,
    "a bare key": 9_473,
    "a preset": 9_716,
    "a signed request": 14_132,
    "a key of other characters": 9_675,
    "a wrong value": 5_897,
    "no signature": 7_787,
}
"""Operations of the code of commit e31aace, which had its tables as objects and closures."""
BYTES_BEFORE, FREE_BYTES = 9_819, 1_100
ENTRIES = build_edge_entries(AccessMode.GUARDED, "", load_default_presets())


def cost(code: str, request: ViewerRequest, held: Mapping[str, str]) -> int:
    return operations(code, request.event(), held)


def test_it_leaves_bytes_free(capsys: pytest.CaptureFixture[str]) -> None:
    free = MAX_BYTES - len(CODE)
    with capsys.disabled():
        print(f"\nedge bytes: {len(CODE):,} of {MAX_BYTES:,} (before {BYTES_BEFORE:,}), {free:,} free")
    assert free >= FREE_BYTES


@pytest.fixture(scope="module")
def costs() -> dict[str, int]:
    return {name: cost(CODE, request, ENTRIES) for name, request in REQUESTS.items()}


def test_it_takes_half_the_cpu(costs: dict[str, int], capsys: pytest.CaptureFixture[str]) -> None:
    trivial = cost(TRIVIAL, REQUESTS["a ladder width"], {})
    with capsys.disabled():
        for name, after in costs.items():
            before = BEFORE[name]
            print(
                f"\nedge CPU, {name}: {before:,} to {after:,} operations, {after / before:.0%};"
                f" {before / trivial:.0f} to {after / trivial:.0f} times a trivial function",
                end="",
            )
    assert all(after <= BEFORE[name] / 2 for name, after in costs.items())


@pytest.mark.parametrize("name", ["a ladder width", "a preset", "a wrong value"])
def test_the_settings_of_the_build_cost_hardly_more(name: str, costs: dict[str, int]) -> None:
    assert cost(CODE, REQUESTS[name], {}) <= 1.1 * costs[name]


def test_counting_finds_what_runs() -> None:
    def code(body: str) -> str:
        return f"import cf from'cloudfront';let f=a=>a.split(''),g=()=>0;async function handler(b){{{body};return b}}"

    request = REQUESTS["a ladder width"]
    nothing = cost(code("0"), request, {})
    assert cost(code("if(!b)g()"), request, {}) < cost(code("if(b)g()"), request, {})
    assert cost(code("b||g()"), request, {}) < cost(code("b&&g()"), request, {})
    assert cost(code("b?0:g()"), request, {}) < cost(code("b?g():0"), request, {})
    assert cost(code("[1,2].forEach(c=>c+c+c)"), request, {}) < cost(code("[1,2,3].forEach(c=>c+c+c)"), request, {})
    assert cost(code("switch(1){case 2:g();g()}"), request, {}) < cost(code("switch(2){case 2:g();g()}"), request, {})
    assert nothing < cost(code("f('a')"), request, {}) < cost(code("f('aaaaaaaaaaaaaaaaaa')"), request, {})
