"""docs/guides/iiif.md matches the parser's tables."""

from __future__ import annotations

from darkroom_dialects.iiif.spec import FEATURES
from tools.generated_blocks import fill
from tools.iiif_page import CONTENT, PAGE


def test_the_page_is_fresh() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert fill(page, CONTENT) == page, "run `make docs`"


def test_the_page_has_a_place_for_all_that_is_known() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [place for place in CONTENT if f"<!-- {place} -->" not in page] == []
    assert [feature.name for feature in FEATURES if f"`{feature.name}`" not in page] == []
