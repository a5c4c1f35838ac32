"""Each page with commands states once, before the first one, where they run."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.paths import ROOT
from tests.places import AWS, CHECKOUT, INSTALLED, LOCAL, PAGES, STATED, derive, first_command, list_blocks

WITH_COMMANDS = [page for page in PAGES if first_command(page.read_text(encoding="utf-8")) >= 0]
EVERYWHERE = f"{CHECKOUT} or {INSTALLED}, {AWS} or {LOCAL}"
REFERENCE = ROOT / "docs" / "reference" / "cli.md"


def test_pages_are_found() -> None:
    assert len(WITH_COMMANDS) > 50


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_states_where_its_commands_run(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    expected = EVERYWHERE if page == REFERENCE else derive(list_blocks(text))
    assert [found[1] for found in STATED.finditer(text)] == [expected], f"Commands: {expected}."
    assert STATED.search(text[: first_command(text)]), "before the first command"


@pytest.mark.parametrize(
    ("block", "places"),
    [
        ("make edge", CHECKOUT),
        ("sam deploy --region eu-west-1", f"{CHECKOUT}, {AWS}"),
        ("aws s3 ls", AWS),
        ("aws --endpoint-url http://127.0.0.1:4566 s3 ls", LOCAL),
        ("curl http://127.0.0.1:8088/a.jpg", LOCAL),
        ("./darkroom status", f"{CHECKOUT}, {LOCAL}"),
        ("./darkroom status --stack shop", f"{CHECKOUT} or {INSTALLED}, {AWS}"),
        ("export DARKROOM_STACK=shop\n./darkroom status", f"{CHECKOUT} or {INSTALLED}, {AWS}"),
        ("./darkroom replay --variants main canary --stack shop", f"{CHECKOUT}, {AWS}"),
        ("./darkroom keys encode a.jpg", f"{CHECKOUT} or {INSTALLED}"),
        ("darkroom install ./release --region eu-west-1", f"{INSTALLED}, {AWS}"),
        ("openssl rand -hex 32", ""),
    ],
)
def test_places_follow_from_commands(block: str, places: str) -> None:
    assert derive([block]) == places
