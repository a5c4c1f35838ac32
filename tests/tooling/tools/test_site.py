"""Tests of the documentation built by ``make site``: every page, every link, and the search index."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe

from tests.component.browser.browser import CHROMIUM, open_browser
from tools.site import indent_items, on_post_page

PAGES = ("index.html", "guides/private-images.html", "guides/gallery.html", "explanation/calculator.html")
ROOT = Path(__file__).resolve().parents[3]


def build(folder: Path, site: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(site)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def copy_docs(folder: Path) -> Path:
    """Copy what a build reads; links to source files need these to exist."""
    for name in ("docs", "tools", "frontends", "endpoint", "local", "layers", "bench", "extensions", "functions"):
        ignored = shutil.ignore_patterns("__pycache__", "node_modules")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ("mkdocs.yml", "LICENSE", "README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.mark.slow
def test_the_site_has_every_page_and_a_search_index(tmp_path: Path) -> None:
    built = build(ROOT, tmp_path)
    assert built.returncode == 0, built.stderr
    pages = {page.relative_to(ROOT / "docs").with_suffix(".html") for page in (ROOT / "docs").rglob("*.md")}
    renamed = {page.with_name("index.html") if page.name == "README.html" else page for page in pages}
    assert renamed <= {page.relative_to(tmp_path) for page in tmp_path.rglob("*.html")}
    found = json.loads((tmp_path / "search" / "search_index.json").read_text(encoding="utf-8"))["docs"]
    assert any("quarantine" in entry["text"] for entry in found)


def test_what_the_theme_leaves_without_a_name_gets_one() -> None:
    page = (
        '<nav class="md-nav" aria-labelledby="__nav_5_2_label"><label class="md-nav__title" for="__nav_5_2">Guides'
        '</label></nav><div class="md-search" data-md-component="search" role="dialog"></div><th a="x"></th><th>b</th>'
    )
    assert on_post_page(page) == (
        '<nav class="md-nav" aria-labelledby="__nav_5_2_title"><label class="md-nav__title" for="__nav_5_2"'
        ' id="__nav_5_2_title">Guides</label></nav><div class="md-search" data-md-component="search" role="dialog"'
        ' aria-label="Search"></div><td a="x"></td><th>b</th>'
    )


def test_steps_with_code_are_one_list() -> None:
    steps = "1. First.\n\n{0}```sh\n{0}ls\n{0}```\n\n2. Second,\n{0}wrapped.\n"
    after = "\nAfter\n\n```sh\n1. no item\n   code\n```\n- a\n{0}b"
    assert indent_items(steps.format("   ") + after.format("  ")) == (steps + after).format("    ")


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_axe_finds_nothing_on_pages(tmp_path: Path) -> None:
    assert build(ROOT, tmp_path).returncode == 0

    async def run() -> dict[str, list[str]]:
        found = {}
        async with open_browser() as page:
            for path, width, dark in [(path, *look) for path in PAGES for look in ((1280, False), (390, True))]:
                await page.resize(width=width, dark=dark)
                await page.open((tmp_path / path).as_uri())
                await page.until("!document.querySelector('.md-code__nav:not([role])')")
                violations = (await Axe().run(page.tab)).response["violations"]
                found |= {f"{path} {one['id']}": [node["html"] for node in one["nodes"]] for one in violations}
        return found

    assert asyncio.run(run()) == {}


@pytest.mark.slow
def test_a_broken_link_fails_the_build(tmp_path: Path) -> None:
    folder = copy_docs(tmp_path / "project")
    for target in ("reference/no-such-page.md", "reference/urls.md#no-such-heading", "../no-such-file.py"):
        page = folder / "docs" / "index.md"
        text = page.read_text(encoding="utf-8")
        page.write_text(f"{text}\n[broken]({target})\n", encoding="utf-8")
        built = build(folder, tmp_path / "site")
        page.write_text(text, encoding="utf-8")
        assert built.returncode != 0, target
        assert target.partition("#")[2] or Path(target).name in built.stdout + built.stderr
