"""docs/dialects says what the parsers' tables say."""

from __future__ import annotations

from pathlib import Path

import pytest

from darkroom.dialects.registry import DIALECTS as SERVED
from darkroom.dialects.registry import IIIF
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


@pytest.mark.parametrize("language", DIALECT_PAGES, ids=lambda language: language.name)
def test_every_option_is_on_its_page(language: DialectPage) -> None:
    page = (FOLDER / f"{language.name}.md").read_text(encoding="utf-8")
    assert [name for option in language.coverage for name in option.names if f"`{name}`" not in page] == []


@pytest.mark.parametrize("language", DIALECT_PAGES, ids=lambda language: language.name)
def test_every_option_is_of_a_group_that_is_counted(language: DialectPage) -> None:
    counted = [language.count(group) for group, _ in language.counts]
    assert sum(of for _, of in counted) == len(language.coverage)
    assert sum(covered for covered, _ in counted) == sum(option.parse is not None for option in language.coverage)


@pytest.mark.parametrize("language", DIALECT_PAGES, ids=lambda language: language.name)
def test_an_option_is_read_or_refused_and_says_what_it_is(language: DialectPage) -> None:
    for option in language.coverage:
        assert (option.parse is None) == bool(option.refused), option.name
        assert option.refused or option.maps_to or option.note, option.name


def test_every_language_has_a_page() -> None:
    assert {language.name for language in DIALECT_PAGES} == {language.name for language in SERVED} - {IIIF.name}
    assert {path.name for path in FOLDER.glob("*.md")} == {path.name for path in PAGES}
