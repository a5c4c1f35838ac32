"""The pages in docs/reference/dialects agree with the parsers' tables."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from darkroom.plan.options import OPTIONS_BY_SHORT
from darkroom_dialects.cloudflare.option_parsers import AUTO_WIDTH_PX, PERCEPTUAL
from darkroom_dialects.registry import DIALECTS, IIIF
from tools.dialect_pages import DIALECT_PAGES, FOLDER, PAGES, DialectPage, quote_names
from tools.generated_blocks import fill


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_page_is_fresh(path: Path) -> None:
    page = path.read_text(encoding="utf-8")
    assert fill(page, PAGES[path]) == page, "run `make docs`"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_page_has_a_place_for_all_that_is_known(path: Path) -> None:
    page = path.read_text(encoding="utf-8")
    assert [place for place in PAGES[path] if f"<!-- {place} -->" not in page] == []


SUPPORTED_OPTIONS = re.compile(r"\| option \| arguments \| becomes \|  \|\n\| --- .*\n((?:\|.*\n)+)")
ROW = re.compile(r"\| (`.+?`) \| (?:`.+`)? \| ((?:`[^`]+` ?)*) \| (.*) \|")


@pytest.mark.parametrize("page", DIALECT_PAGES, ids=lambda page: page.dialect.name)
def test_the_page_describes_every_supported_option(page: DialectPage) -> None:
    found = SUPPORTED_OPTIONS.search((FOLDER / f"{page.dialect.name}.md").read_text(encoding="utf-8"))
    assert found
    rows = [(row, ROW.fullmatch(row)) for row in found[1].splitlines()]
    assert [row for row, match in rows if not match or not (match[2] or match[3])] == []
    named = {name for _, match in rows if match for name in re.findall("`([a-z0-9]+)(?:=[^`]+)?`", match[2])}
    assert named <= OPTIONS_BY_SHORT.keys()
    described = sorted(match[1] for _, match in rows if match)
    assert described == sorted(quote_names(option) for option in page.mappings if option.parse)


@pytest.mark.parametrize("page", DIALECT_PAGES, ids=lambda page: page.dialect.name)
def test_every_option_is_of_a_group_that_is_counted(page: DialectPage) -> None:
    counted = [page.count(group) for group, _ in page.documentation.groups]
    assert sum(of for _, of in counted) == len(page.mappings)
    assert sum(covered for covered, _ in counted) == sum(option.parse is not None for option in page.mappings)


@pytest.mark.parametrize("page", DIALECT_PAGES, ids=lambda page: page.dialect.name)
def test_an_option_is_parsed_or_refused_by_name(page: DialectPage) -> None:
    for option in page.mappings:
        assert (option.parse is None) == bool(option.refused), option.name


def test_every_dialect_has_a_page() -> None:
    assert {page.dialect.name for page in DIALECT_PAGES} == {dialect.name for dialect in DIALECTS} - {IIIF.name}
    assert {path.name for path in FOLDER.glob("*.md")} == {path.name for path in PAGES}


def test_the_page_of_cloudflare_has_the_qualities_of_its_words() -> None:
    text = (FOLDER / "cloudflare.md").read_text(encoding="utf-8")
    assert [word for word, quality in PERCEPTUAL.items() if f"`{word}` {quality}" not in text] == []
    assert f"`auto` is {AUTO_WIDTH_PX}," in text
