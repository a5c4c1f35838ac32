"""Components of Next, Nuxt, Astro and unpic with the modules of frontends/: what they write into a page."""

from __future__ import annotations

import json
from typing import Any

import pytest

from darkroom.plan.native_url import NativeRequest, parse_url
from darkroom.plan.variants import LADDER_PX, AccessMode, needs_signature
from darkroom.signing import verify

from .clients import run

pytestmark = pytest.mark.slow

BASE = "https://img.example.com"
KEY = "k"
SRC = {"src": "/2026/a%20b.jpg"}
PLAIN = SRC | {"width": 800, "height": 600}

type Case = tuple[str, dict[str, Any]]

AGREES: list[Case] = [
    ("next", PLAIN | {"sizes": "100vw"}),
    ("next", PLAIN | {"sizes": "33vw"}),
    ("next", PLAIN | {"sizes": "(min-width: 60rem) 40rem, 90vw", "priority": True}),
    ("next", SRC | {"fill": True}),
    ("next", SRC | {"fill": True, "sizes": "50vw"}),
    ("next", PLAIN),
    ("next", PLAIN | {"src": f"{BASE}/2026/a%20b.jpg"}),
    ("nuxt", SRC | {"sizes": "xs:100vw sm:100vw md:100vw lg:100vw", "modifiers": {"width": 640, "height": 480}}),
    ("nuxt", SRC | {"sizes": "sm:50vw md:640px", "modifiers": {"format": "webp"}}),
    ("nuxt", SRC | {"modifiers": {"width": 320}}),
    ("nuxt", SRC | {"densities": "x1 x2", "modifiers": {"width": 640, "height": 480, "quality": 30}}),
    ("astro", PLAIN | {"layout": "constrained"}),
    ("astro", PLAIN | {"layout": "full-width"}),
    ("astro", PLAIN | {"layout": "fixed"}),
    ("astro", PLAIN | {"widths": [320, 640, 1280], "sizes": "50vw", "format": "avif"}),
    ("astro", SRC | {"width": 640, "height": 480, "densities": [1, 2]}),
    ("unpic", PLAIN | {"layout": "constrained"}),
    ("unpic", PLAIN | {"layout": "fullWidth"}),
    ("unpic", SRC | {"layout": "fixed", "width": 640, "height": 480}),
]
"""No URL needs a signature, and each image is as wide as its descriptor."""

DIFFERS: list[tuple[Case, str]] = [
    (
        ("nuxt", SRC | {"sizes": "sm:100vw md:100vw", "screens": {"sm": 600, "md": 768}}),
        "screens off the ladder go up to it",
    ),
    (("nuxt", SRC | {"sizes": "lg:400px", "modifiers": {"width": 800}}), "sizes in px off the ladder go up to it"),
    (("nuxt", SRC | {"sizes": "100vw sm:50vw"}), "Nuxt takes a size without a screen for a screen of 1 px"),
    (("unpic", PLAIN | {"layout": "fullWidth", "breakpoints": [750, 1080]}), "breakpoints off the ladder go up to it"),
]
"""No URL needs a signature, and some images are wider than their descriptor, with the reason."""

SIGNED: list[tuple[Case, list[tuple[int, int]]]] = [
    (
        ("next", SRC | {"width": 320, "height": 240, "signed": {"w": 4, "h": 3, "fit": "cover"}}),
        [(320, 240), (640, 480)],
    ),
    (("astro", SRC | {"width": 700, "height": 350, "densities": [1, 2], "signed": True}), [(700, 350), (1400, 700)]),
    (
        ("astro", SRC | {"width": 700, "height": 350, "widths": [333, 700], "position": "left top", "signed": True}),
        [(333, 167), (700, 350)],
    ),
    (
        ("unpic", SRC | {"layout": "fixed", "width": 333, "height": 222, "breakpoints": [333, 666], "signed": True}),
        [(333, 222), (666, 444)],
    ),
]
"""Signed URLs, with their sizes: those of the page."""

REFUSED: list[tuple[Case, str]] = [
    (("next", PLAIN | {"src": "https://elsewhere.example/a.jpg"}), "not an image below"),
    (("nuxt", {"src": "https://elsewhere.example/a.jpg", "modifiers": {"width": 320}}), "not an image below"),
    (("astro", PLAIN | {"src": "https://elsewhere.example/a.jpg"}), "not an image below"),
    (("astro", SRC | {"width": 300}), "needs height"),
    (("astro", PLAIN | {"fit": "outside", "signed": True}), "There is no fit"),
]
"""Invalid uses in a page, with the error of the build."""

CASES: list[Case] = [
    *AGREES,
    *(case for case, _ in DIFFERS),
    *(case for case, _ in SIGNED),
    *(case for case, _ in REFUSED),
]


@pytest.fixture(scope="module")
def answers() -> dict[str, dict[str, Any]]:
    found = run("run.mjs", {"base": BASE, "cases": CASES})
    return {json.dumps(case): answer for case, answer in zip(CASES, found, strict=True)}


def requests_of(answer: dict[str, Any]) -> list[tuple[NativeRequest, str]]:
    """Parse every URL of an element, each with its descriptor; `src` has none."""
    assert "failed" not in answer, answer
    pairs = [(answer["src"], ""), *map(tuple, answer["candidates"])]
    assert all(url.startswith(BASE + "/") for url, _ in pairs)
    parsed = [(parse_url(url.removeprefix(BASE)), descriptor) for url, descriptor in pairs]
    assert {request.plan.key for request, _ in parsed} == {"2026/a b.jpg"}
    return parsed


def excess(request: NativeRequest, descriptor: str) -> int:
    """Return by how many px an image is wider than its descriptor; 0 for densities, and for the widest of all."""
    width = request.plan.width
    if not descriptor.endswith("w") or width is None:
        return 0
    return width - min(int(descriptor[:-1]), max(LADDER_PX))


def check_unsigned(answer: dict[str, Any]) -> list[int]:
    """Return the excess of each candidate of an element that needs no signature."""
    parsed = requests_of(answer)
    assert not [request for request, _ in parsed if needs_signature(request.plan, AccessMode.GUARDED)]
    assert {request.plan.width for request, _ in parsed} <= {*LADDER_PX}
    return [excess(request, descriptor) for request, descriptor in parsed]


@pytest.mark.parametrize("case", AGREES, ids=json.dumps)
def test_an_element_agrees(answers: dict[str, dict[str, Any]], case: Case) -> None:
    assert not any(check_unsigned(answers[json.dumps(case)]))


@pytest.mark.parametrize(("case", "reason"), DIFFERS, ids=json.dumps)
def test_an_element_differs(answers: dict[str, dict[str, Any]], case: Case, reason: str) -> None:
    """Detect a reason that no longer holds. Images are never narrower than their descriptor."""
    assert reason
    found = check_unsigned(answers[json.dumps(case)])
    assert any(found)
    assert min(found) >= 0


@pytest.mark.parametrize(("case", "sizes"), SIGNED, ids=json.dumps)
def test_a_signed_element_has_exact_sizes(
    answers: dict[str, dict[str, Any]], case: Case, sizes: list[tuple[int, int]]
) -> None:
    _, *candidates = requests_of(answers[json.dumps(case)])
    found = [(request.plan.width, request.plan.height) for request, _ in candidates]
    assert found == sizes
    for request, _ in candidates:
        verify(request.path, request.signature, request.expires_s, [KEY], now_s=1_800_000_000)


@pytest.mark.parametrize(("case", "message"), REFUSED, ids=json.dumps)
def test_an_element_is_refused(answers: dict[str, dict[str, Any]], case: Case, message: str) -> None:
    assert message in answers[json.dumps(case)].get("failed", ""), answers[json.dumps(case)]
