"""SVG: names that editors take from layers and people do not get into masters."""

from __future__ import annotations

import numpy as np
import pytest
import pyvips

from darkroom.imaging.formats.svg.sanitise import sanitise

NAMES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="100" height="80"'

DRAWINGS = {
    "classes of Illustrator": """
        <style>.secret-red{fill:#f00}
        .secret-blue , g #secret_Layer .secret-thin{fill:none;stroke:#00f;stroke-width:4}</style>
        <g id="secret_Layer"><rect class="secret-red" width="40" height="40"/>
        <path class="secret-thin other secret-blue" d="M0 60h90"/></g>""",
    "gradients of Inkscape": """
        <defs><linearGradient id="secret1"><stop offset="0" stop-color="red"/><stop offset="1" stop-color="blue"/>
        </linearGradient>
        <linearGradient id="secret2" xlink:href="#secret1" x1="0" x2="100" gradientUnits="userSpaceOnUse"/>
        </defs><rect style="fill:url(#secret2)" width="100" height="80"/>""",
    "masks and clips": """
        <clipPath id="secret-clip"><circle cx="50" cy="40" r="30"/></clipPath>
        <mask id="secret-mask"><rect width="100" height="40" fill="white"/></mask>
        <g clip-path="url('#secret-clip')"><rect mask="url(#secret-mask)" width="100" height="80" fill="green"/></g>""",
    "uses and symbols": """
        <symbol id="secret.symbol"><rect id="secretRect" width="30" height="30" fill="teal"/></symbol>
        <use href="#secret.symbol" x="10"/><use xlink:href="#secretRect" x="50" y="20"/>""",
    "results of filters": """
        <filter id="secret-shadow"><feFlood flood-color="red" result="secret-flood"/>
        <feComposite in="secret-flood" in2="SourceAlpha" operator="in" result="secret-tint"/>
        <feOffset dx="5" in="secret-tint"/></filter>
        <rect filter="url(#secret-shadow)" x="20" y="20" width="40" height="30"/>""",
    "markers and text on a path": """
        <marker id="secret-arrow" markerWidth="4" markerHeight="4"><rect width="4" height="4" fill="red"/></marker>
        <path id="secret-line" d="M10 40h80" stroke="black" marker-end="url(#secret-arrow)"/>
        <text><textPath href="#secret-line">over</textPath></text>""",
    "references to nothing": '<rect fill="url(#secret-missing) red" width="50" height="50"/><use href="#secret-gone"/>',
    "an attribute selector of a colour": """
        <style>[fill="#f00"]{fill:#0f0}.secret:first-child{stroke:blue}</style>
        <rect class="secret" fill="#f00" width="50" height="50"/>""",
}


def document(content: str) -> bytes:
    return f"<svg {NAMES}>{content}</svg>".encode()


def drawn(data: bytes) -> np.ndarray:
    return np.asarray(pyvips.Image.svgload_buffer(data).numpy())


@pytest.mark.parametrize("name", DRAWINGS)
def test_names_are_replaced_and_the_drawing_stays(name: str) -> None:
    before = document(DRAWINGS[name])
    after = sanitise(before)
    assert b"secret" not in after
    assert np.array_equal(drawn(after), drawn(before))
    assert sanitise(after) == after


def test_names_stay_apart() -> None:
    """Equal names of an id and a class are two names, and each name of an id is another one."""
    after = sanitise(document('<g id="a" class="a b"/><g id="b" class="b a"/>')).decode()
    assert '<g id="i1" class="c1 c2">' in after
    assert '<g id="i2" class="c2 c1">' in after


@pytest.mark.parametrize("selector", ['[id="secret"]', "[class^=secret]", '[ id *= "secret" ] rect', "[ID=secret]"])
def test_rules_that_select_by_names_as_attributes_are_removed(selector: str) -> None:
    after = sanitise(
        document(f'<style>{selector}{{fill:red}} rect{{fill:blue}}</style><rect id="secret" class="secret"/>')
    )
    assert b"secret" not in after
    assert b"rect{fill:blue}" in after


def test_encoded_references_are_resolved_as_browsers_do() -> None:
    after = sanitise(document('<clipPath id="a secret"><rect/></clipPath><rect clip-path="url(#a%20secret)"/>'))
    assert b'clip-path="url(#i1)"' in after


def test_rules_for_names_that_no_element_has_are_renamed() -> None:
    assert b"secret" not in sanitise(document("<style>.secret-unused #secret-gone{fill:red}</style>"))
