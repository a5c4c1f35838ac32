"""The search of the documentation finds the page that answers a question, by the site's own worker and index."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from py_mini_racer import MiniRacer

from .test_site import ROOT, build

QUESTIONS = tomllib.loads(Path(__file__).with_name("questions.toml").read_text(encoding="utf-8"))
FIRST = 3
_SETUP, _QUERY = 0, 2
"""Types of messages of the worker of Material for MkDocs."""

_WORKER = """
var self = globalThis, listeners = [], answers = [], location = {href: "https://docs.example/"};
function addEventListener(name, listener) { listeners.push(listener); }
function postMessage(message) { answers.push(message); }
function send(message) { answers = []; listeners.forEach(listener => listener({data: message})); }
"""

type Search = Callable[[str], list[str]]


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Search]:
    site = tmp_path_factory.mktemp("site")
    built = build(ROOT, site)
    assert built.returncode == 0, built.stderr
    [worker] = site.glob("assets/javascripts/workers/search.*.min.js")
    with MiniRacer() as engine:
        engine.eval(_WORKER)
        engine.eval(worker.read_text(encoding="utf-8"))
        index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
        engine.eval(f"send({json.dumps({'type': _SETUP, 'data': index | {'options': {}}})})")

        def find(query: str) -> list[str]:
            engine.eval(f"send({json.dumps({'type': _QUERY, 'data': query})})")
            [answer] = json.loads(str(engine.eval("JSON.stringify(answers)")))
            return [str(group[0]["location"]).partition(".html")[0] for group in answer["data"]["items"]]

        yield find


@pytest.mark.slow
def test_the_page_that_answers_is_among_the_first_three(search: Search) -> None:
    missed = {
        query: search(query)[:FIRST]
        for questions in QUESTIONS.values()
        for query, (page, _) in questions.items()
        if page not in search(query)[:FIRST]
    }
    assert missed == {}
    assert search("zyxwvut") == []


@pytest.mark.slow
def test_guides_come_before_decisions(search: Search) -> None:
    found = search("signature")
    assert [page.startswith("decisions/") for page in found[:5]] == [False] * 5
    assert any(page.startswith("decisions/") for page in found)


@pytest.mark.slow
def test_the_gallery_is_found_by_its_options(search: Search) -> None:
    for query in ("gallery", "option images", "brightness", "greyscale", "denoise"):
        assert "guides/gallery" in search(query)[:FIRST], query


def test_thirty_questions_have_a_command_on_their_page() -> None:
    assert [len(questions) for questions in QUESTIONS.values()] == [20, 10]
    for questions in QUESTIONS.values():
        for query, (name, command) in questions.items():
            text = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
            assert command in "".join(re.findall(r"```sh\n.*?```|`[^`\n]+`", text, re.DOTALL)), query
    page = (ROOT / "docs" / "guides" / "troubleshooting.md").read_text(encoding="utf-8")
    sections = page.split("\n## ")[1:]
    assert len(sections) == 20
    assert [one.partition("\n")[0] for one in sections if "```sh" not in one] == []
