"""The diagram of the architecture: its boxes lead to pages and headings that exist, and do not overlap."""

from __future__ import annotations

import re
from itertools import combinations
from xml.etree import ElementTree

from pymdownx.slugs import slugify

from tools.diagram import FILE, PAGE, WIDTH_PX, Node, draw, read_nodes
from tools.site import on_page_markdown

SLUG = slugify(case="lower")


def test_the_file_is_fresh() -> None:
    assert FILE.read_text(encoding="utf-8") == draw(), "run `make docs`"


def test_links_lead_to_headings() -> None:
    for name, node in read_nodes().items():
        file, _, anchor = node.link.partition("#")
        page = (PAGE.parent / file).resolve() if file else PAGE
        assert page.is_file(), name
        headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert not anchor or anchor in [SLUG(heading, "-") for heading in headings], name


def test_boxes_do_not_overlap() -> None:
    for one, other in combinations(read_nodes().values(), 2):
        assert not (overlap(one, other)), (one.text, other.text)


def overlap(one: Node, other: Node) -> bool:
    beside = abs(one.left - other.left) >= WIDTH_PX
    above = one.top + one.height <= other.top or other.top + other.height <= one.top
    return not beside and not above


def test_every_line_has_two_ends_outside_of_boxes() -> None:
    root = ElementTree.fromstring(draw())
    lines = [path.get("d", "") for path in root.iterfind("{*}path")]
    assert len(lines) > len(read_nodes())
    for line in lines:
        x, y, end_x, end_y = map(int, line.removeprefix("M").split())
        assert (x, y) != (end_x, end_y)
        for node in read_nodes().values():
            for across, down in ((x, y), (end_x, end_y)):
                inside = 1 < across - node.left < WIDTH_PX - 1 and 1 < down - node.top < node.height - 1
                assert not inside, (line, node.text)


def test_the_site_contains_its_text_with_links() -> None:
    page = type("Page", (), {"file": type("File", (), {"abs_src_path": str(PAGE), "src_uri": "a.md"}), "meta": {}})
    markdown = on_page_markdown(f"before\n\n![text](../images/{FILE.name})\n\nafter", page=page)
    assert markdown.startswith("before\n\n<div") and markdown.endswith("\n\nafter")
    assert '<a href="ingest.html">' in markdown
    assert "\n\n" not in markdown.removeprefix("before\n\n").removesuffix("\n\nafter").rstrip(), "or Markdown splits it"
