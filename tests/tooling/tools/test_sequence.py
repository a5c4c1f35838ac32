"""Sequence diagrams of the site: their messages and blocks, as SVG."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from tools.sequence import Block, Message, draw, parse

SOURCE = """sequenceDiagram
    Viewer->>Edge function: GET /a?w=1&q=2
    alt refused
        Edge function-->>Viewer: 403
    else
        Edge function->>Edge function: render
    end
"""


def test_messages_and_blocks_are_parsed() -> None:
    assert parse(SOURCE) == [
        Message("Viewer", "Edge function", "GET /a?w=1&q=2", answers=False),
        Block("alt", "refused"),
        Message("Edge function", "Viewer", "403", answers=True),
        Block("else", ""),
        Message("Edge function", "Edge function", "render", answers=False),
        Block("end", ""),
    ]


@pytest.mark.parametrize("source", ["flowchart TD\n a --> b", "sequenceDiagram\n loop each\n end"])
def test_other_lines_fail_the_build(source: str) -> None:
    with pytest.raises(ValueError, match=r"not a sequence|neither"):
        parse(source)


def test_the_drawing_has_each_text_and_an_arrow_for_each_message_to_another() -> None:
    root = ElementTree.fromstring(draw(SOURCE))
    texts = [text.text for text in root.iterfind("{*}text")]
    assert set(texts) >= {"Viewer", "Edge function", "GET /a?w=1&q=2", "refused", "403", "render"}
    arrows = [path for path in root.iterfind("{*}path") if path.get("marker-end")]
    assert [path.get("stroke-dasharray") is not None for path in arrows] == [False, True]
    _, _, width, height = map(float, root.get("viewBox", "").split())
    for text in root.iterfind("{*}text"):
        assert 0 < float(text.get("x", "")) < width
        assert 0 < float(text.get("y", "")) < height


def test_a_drawing_is_one_block_of_html() -> None:
    assert "\n\n" not in draw(SOURCE)
