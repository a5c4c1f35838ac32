"""The pages in docs/reference/dialects agree with the parsers' tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from darkroom.dialects.registry import DIALECTS, IIIF
from tools.dialect_pages import DIALECT_PAGES, FOLDER, PAGES, DialectPage
from tools.generated_blocks import fill


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_page_is_fresh(path: Path) -> None:
    page = path.read_text(encoding="utf-8")
    assert fill(page, PAGES[path]) == page, "run `make docs`"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_page_has_a_place_for_all_that_is_known(path: Path) -> None:
    page = path.read_text(encoding="utf-8")
    assert [place for place in PAGES[path] if f"<!-- {place} -->" not in page] == []


@pytest.mark.parametrize("page", DIALECT_PAGES, ids=lambda page: page.dialect.name)
def test_every_option_is_on_its_page(page: DialectPage) -> None:
    text = (FOLDER / f"{page.dialect.name}.md").read_text(encoding="utf-8")
    assert [name for option in page.mappings for name in option.names if f"`{name}`" not in text] == []


@pytest.mark.parametrize("page", DIALECT_PAGES, ids=lambda page: page.dialect.name)
def test_every_option_is_of_a_group_that_is_counted(page: DialectPage) -> None:
    counted = [page.count(group) for group, _ in page.documentation.groups]
    assert sum(of for _, of in counted) == len(page.mappings)
    assert sum(covered for covered, _ in counted) == sum(option.parse is not None for option in page.mappings)


@pytest.mark.parametrize("page", DIALECT_PAGES, ids=lambda page: page.dialect.name)
def test_an_option_is_parsed_or_refused_by_name(page: DialectPage) -> None:
    for option in page.mappings:
        assert (option.parse is None) == bool(option.refused), option.name
        assert option.refused or option.maps_to or option.note, option.name


def test_every_dialect_has_a_page() -> None:
    assert {page.dialect.name for page in DIALECT_PAGES} == {dialect.name for dialect in DIALECTS} - {IIIF.name}
    assert {path.name for path in FOLDER.glob("*.md")} == {path.name for path in PAGES}
