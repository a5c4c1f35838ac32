"""Run the Node tests of frontends/, and parse its URLs with darkroom.plan."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from darkroom.errors import DarkroomError
from darkroom.imaging.describe import build_srcset
from darkroom.plan.model import Plan
from darkroom.plan.native_url import parse_url
from darkroom.plan.presets import load_default_presets
from darkroom.plan.variants import AccessMode, needs_signature
from darkroom.signing import verify
from tests.profiles import fuzz_settings
from tests.unit.edge.viewers import PATHS, QUERIES
from tools.frontends import PAGE, ROOT, illustrated, tables, written

HERE = Path(__file__).parent
KEY = "the key of the tests"
NODE, NPM = shutil.which("node"), shutil.which("npm")

with_node = pytest.mark.skipif(NODE is None, reason="Node is not installed")
with_npm = pytest.mark.skipif(NODE is None or NPM is None, reason="npm is not installed")

type Ask = Callable[[str], dict[str, Any]]


def in_node(*arguments: object) -> str:
    """The output of Node, whose process must succeed."""
    assert NODE is not None
    result = subprocess.run([NODE, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.mark.parametrize("path", written(load_default_presets()), ids=lambda path: path.name)
def test_what_is_written_is_fresh(path: Path) -> None:
    assert written(load_default_presets())[path] == path.read_text(encoding="utf-8"), "run `make docs`"


def test_tables_follow_the_plan() -> None:
    assert "export const LADDER = [320, 480, " in tables(load_default_presets())
    assert '"dpr": "pixel-ratio"' in tables(load_default_presets())


def test_the_page_shows_every_example_and_no_other_code() -> None:
    page = PAGE.read_text(encoding="utf-8")
    shown = set(re.findall(r"<!-- file: (\S+) -->", page))
    assert shown == {str(path.relative_to(ROOT)) for path in (ROOT / "frontends" / "examples").iterdir()}
    outside = re.sub(r"<!-- file: .*?<!-- /file -->", "", page, flags=re.DOTALL)
    assert re.findall(r"^```(?!console)\w+", outside, flags=re.MULTILINE) == []
    assert illustrated("<!-- file: Makefile -->old<!-- /file -->").startswith("<!-- file: Makefile -->\n\n```\n# Every")


def test_nothing_for_browsers_can_sign() -> None:
    """Modules that pages load import neither node:crypto nor the code that formats requests."""
    reached = set[str]()
    waiting = [
        *("darkroom.mjs", "picture.mjs", "next-loader.mjs", "unpic.mjs", "nuxt-provider.mjs", "astro-service.mjs"),
        *("ipx.mjs", "uppy.mjs", "upload-element.mjs"),
    ]
    uploads = {f"upload{part}.mjs" for part in ("", "-api", "-errors", "-journal", "-prepare", "-report", "-style")}
    for_browsers = {*waiting, *uploads, "astro.mjs", "tables.mjs", "visible-text.mjs"}
    while waiting:
        reached.add(name := waiting.pop())
        found = re.findall(r"from '([^']+)'", (ROOT / "frontends" / name).read_text(encoding="utf-8"))
        waiting += [one.removeprefix("./") for one in found if one.removeprefix("./") not in reached]
    assert reached == for_browsers


@pytest.mark.sample(15)
@with_node
@pytest.mark.parametrize("name", ["urls", "picture", "next", "nuxt", "astro", "ipx", "uppy", "upload", "examples"])
def test_in_nodes_own_runner(name: str) -> None:
    in_node("--test", HERE / f"{name}.test.mjs")


@pytest.fixture(scope="session")
def unpic() -> None:
    """unpic's packages beside the tests, as package-lock.json names them."""
    lock, installed = HERE / "package-lock.json", HERE / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    assert NPM is not None
    subprocess.run([NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], cwd=HERE, check=True)


@pytest.mark.slow
@with_npm
def test_with_unpics_own_code(unpic: None) -> None:
    in_node("--test", HERE / "unpic.test.mjs")


@pytest.fixture(scope="module")
def images() -> list[dict[str, Any]]:
    """Random images, and the URLs that every builder makes for them."""
    found: list[dict[str, Any]] = json.loads(in_node(HERE / "building.mjs", 20261126, 300, KEY))
    assert len(found) == 300
    return found


@pytest.mark.slow
@with_node
def test_unsigned_urls_need_no_signature(images: list[dict[str, Any]]) -> None:
    for image in images:
        assert len(image["unsigned"]) > 20 or image["width"] < 3840
        for url in image["unsigned"]:
            request = parse_url(url)
            assert request.plan.key == image["name"]
            assert not needs_signature(request.plan, AccessMode.GUARDED), url


@pytest.mark.slow
@with_node
def test_signed_urls_have_the_signature_that_is_requested(images: list[dict[str, Any]]) -> None:
    for image in images:
        for url in image["signed"]:
            request = parse_url(url)
            assert request.plan.key == image["name"]
            verify(request.path, request.signature, request.expires_s, [KEY], now_s=1_800_000_000)


@pytest.mark.slow
@with_node
def test_the_srcset_is_that_of_the_description(images: list[dict[str, Any]]) -> None:
    for image in images:
        assert image["srcset"] == build_srcset(Plan(image["name"]), image["width"])


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """Sends URLs to a Node process for parsing."""
    assert NODE is not None
    with subprocess.Popen(
        [NODE, HERE / "asking.mjs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stdin
        assert process.stdout
        stdin, stdout = process.stdin, process.stdout

        def answer(target: str) -> dict[str, Any]:
            stdin.write(json.dumps(target) + "\n")
            stdin.flush()
            found: dict[str, Any] = json.loads(stdout.readline())
            return found

        yield answer
        stdin.close()


def ours(target: str) -> dict[str, Any]:
    """The expected result of asking.mjs, by darkroom.plan."""
    try:
        request = parse_url(target)
    except DarkroomError as error:
        return {"code": error.code, "detail": error.message, "option": getattr(error, "option", "") or ""}
    return {"request": request.path, "needsSignature": needs_signature(request.plan, AccessMode.GUARDED)}


@with_node
def test_both_sides_read_the_table_of_cases_alike(ask: Ask) -> None:
    cases = json.loads((HERE.parents[1] / "cases" / "urls.json").read_text(encoding="utf-8"))
    urls = sorted({case["url"] for case in cases})
    assert len(urls) > 100
    assert {url: ask(url) for url in urls} == {url: ours(url) for url in urls}


@with_node
@fuzz_settings()
@given(target=st.tuples(PATHS, st.just("?"), QUERIES).map("".join))
def test_both_sides_read_random_urls_alike(target: str, ask: Ask) -> None:
    theirs = ask(target)
    event(theirs.get("code", "read"))
    assert theirs == ours(target)
