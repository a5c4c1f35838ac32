"""docs/reference/foreign-files.md has what tests/cases/foreign.toml decides."""

from __future__ import annotations

from tests.foreign import DECISIONS, DIFFERENCES, DIFFERENT, MAX_SHOWN_BY_LIBVIPS, REFUSED
from tools.foreign_page import CONTENT, PAGE
from tools.generated_blocks import fill

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_page_is_up_to_date() -> None:
    assert fill(TEXT, CONTENT) == TEXT


def test_every_refusal_and_difference_has_a_reason() -> None:
    assert {one.decision for one in REFUSED.values()} == set(DECISIONS)
    assert set(DIFFERENT.values()) == set(DIFFERENCES)
    assert {one.code for one in REFUSED.values()} <= {"damaged", "type-not-allowed", "over-limits"}
    assert sum("libvips" in one.shown_by for one in REFUSED.values()) <= MAX_SHOWN_BY_LIBVIPS
    assert all(name in TEXT for name, one in REFUSED.items() if one.shown_by)
