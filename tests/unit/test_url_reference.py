"""docs/reference/urls.md matches the option tables."""

from __future__ import annotations

import pytest

from darkroom.plan.options import NATIVE_OPTIONS
from tools.generated_blocks import fill
from tools.url_reference import CONTENT, PAGE


def test_the_page_is_fresh() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert fill(page, CONTENT) == page, "run `make docs`"


def test_the_page_has_every_option() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for option in NATIVE_OPTIONS:
        assert f"`{option.short}`" in page
        assert f"| {option.type.allowed_values} |" in page


def test_a_section_is_filled_again() -> None:
    assert fill("at most <!-- max-key-bytes -->5<!-- /max-key-bytes --> bytes", CONTENT) == (
        "at most <!-- max-key-bytes -->700<!-- /max-key-bytes --> bytes"
    )


def test_a_place_that_nothing_fills_is_an_error() -> None:
    with pytest.raises(KeyError, match="colour"):
        fill("<!-- colour --><!-- /colour -->", CONTENT)
