"""The shared table of pages: packages that make ``<img>`` and ``<picture>`` give what it expects."""

from __future__ import annotations

import json
import subprocess
from html.parser import HTMLParser
from itertools import pairwise
from shutil import which
from typing import Any
from urllib.parse import urlsplit

import pytest

from darkroom.imaging.describe import build_srcset
from darkroom.plan.canonical import build_plan
from darkroom.plan.native_url import parse_url
from darkroom.plan.variants import needs_signature
from darkroom.signing import verify
from local.paths import ROOT
from tools.page_vectors import FILE, written

from .conftest import Server

DOCUMENT: Any = json.loads(FILE.read_text(encoding="utf-8"))
CASES = DOCUMENT["cases"]
PLAIN = [
    case
    for case in CASES
    if case["access"]["mode"] == "guarded" and not {"ratio", "directed", "formats"} & case["asked"].keys()
]


class Elements(HTMLParser):
    """Names and attributes of the elements of a text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def list_urls(case: dict[str, Any]) -> list[tuple[str, int]]:
    """The URLs of a case without the host, and the widths that its ``srcset`` states."""
    sets = [one["srcset"] for one in (*case["sources"], case["img"])]
    pairs = [one.rsplit(" ", 1) for text in sets for one in text.split(", ")]
    return [(url.removeprefix(DOCUMENT["base"]), int(width.removesuffix("w"))) for url, width in pairs]


def test_the_table_is_that_of_the_server() -> None:
    assert FILE.read_text(encoding="utf-8") == written()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_each_url_is_accepted_by_the_server(case: dict[str, Any]) -> None:
    for url, _ in list_urls(case):
        request = parse_url(url)
        if not request.signature:
            assert case["access"]["mode"] == "open" or not needs_signature(request.plan, "guarded")
            continue
        text = url[: url.index("s=" + request.signature) - 1]
        verify(text, request.signature, None, [DOCUMENT["key"]], 0)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_widths_rise_to_that_of_the_image(case: dict[str, Any]) -> None:
    for text in (one["srcset"] for one in (*case["sources"], case["img"])):
        widths = [int(one.rpartition(" ")[2].removesuffix("w")) for one in text.split(", ")]
        assert all(left < right for left, right in pairwise(widths))
        assert widths[-1] <= case["image"]["width"]


def test_a_plain_image_has_the_srcset_that_the_server_states() -> None:
    case = CASES[0]
    stated = build_srcset(build_plan(case["image"]["key"], {}), case["image"]["width"])
    assert case["img"]["srcset"].replace(DOCUMENT["base"], "") == stated


RENDER = """
from darkroom_url.page_images import Directed, PageImage, Site, describe_picture, render_img, render_picture
result = []
for case in cases:
    image, access, asked = case["image"], case["access"], dict(case["asked"])
    focus = tuple(image["focus"]) if image["focus"] else None
    shown = PageImage(image["key"], image["width"], image["height"], focus)
    site = Site(base, key, access["mode"], access["expires"])
    asked["directed"] = [Directed(**one) for one in asked.get("directed", [])]
    sources, img = describe_picture(shown, site, **asked)
    marked = {"class": "a <b>"}
    html = render_picture(shown, site, attributes=marked, **asked)
    if not sources:
        del asked["directed"]
        assert html == f"<picture>{render_img(shown, site, attributes=marked, **asked)}</picture>"
    result.append([sources, img, html])
"""


def test_darkroom_url_makes_the_elements_of_the_table(server: Server) -> None:
    made = server.run(RENDER, cases=CASES, base=DOCUMENT["base"], key=DOCUMENT["key"])
    for case, (sources, img, html) in zip(CASES, made, strict=True):
        assert (sources, img) == (case["sources"], case["img"]), case["name"]
        assert [*img] == [*case["img"]]
        expected = [("picture", {}), *(("source", one) for one in sources), ("img", {**img, "class": "a <b>"})]
        assert Elements(html).found == expected


REFUSE = """
from darkroom_url import UrlError
from darkroom_url.page_images import PageImage, Site, build_page_url, render_img
rome, result = PageImage("rome.jpg", 4000, 3000), {}
def refuse(name, make):
    try:
        make()
    except (UrlError, ValueError) as error:
        result[name] = getattr(error, "code", "") or str(error)
refuse("crop without a key", lambda: render_img(rome, Site(), alt="", ratio="1:1"))
refuse("ratio", lambda: render_img(rome, Site(), alt="", ratio="1.5"))
refuse("size", lambda: render_img(rome, Site(), alt="", options={"width": 100}))
refuse("option", lambda: render_img(rome, Site(), alt="", options={"colour": "red"}))
refuse("attribute", lambda: render_img(rome, Site(), alt="", attributes={"a b": "c"}))
site = Site("https://cdn/images/", "key", "guarded")
result["urls"] = [build_page_url("a.jpg", site, {"preset": name}) for name in ("cover", "mine")]
result["below a path"] = build_page_url("a.jpg", site, {"w": 801})
"""


def test_what_is_no_page_image_is_refused(server: Server) -> None:
    found = server.run(REFUSE)
    assert found.pop("urls") == ["https://cdn/images/a.jpg?preset=cover", "https://cdn/images/a.jpg?preset=mine"]
    assert found.pop("below a path").startswith("https://cdn/images/a.jpg?w=801&s=")
    assert found == {
        "crop without a key": "unsigned",
        "ratio": "bad-option",
        "size": "bad-option",
        "option": "unknown-option",
        "attribute": "This is no name of an attribute: 'a b'",
    }


IN_NODE = """
import { readFileSync } from 'node:fs';
import { img } from './frontends/picture.mjs';

const { base, cases } = JSON.parse(readFileSync(0, 'utf8'));
const made = cases.map(({ image: { key, width, height }, asked: { alt, sizes, loading, options } }) =>
    img({ base, key, alt, width, height, sizes, loading }, { format: options?.f }));
console.log(JSON.stringify(made));
"""


@pytest.mark.skipif(which("node") is None, reason="needs Node")
def test_the_front_ends_make_the_same_img() -> None:
    cases = [case for case in PLAIN if not {"q", "sharp"} & case["asked"].get("options", {}).keys()]
    sent = json.dumps({"base": DOCUMENT["base"], "cases": cases})
    command = ["node", "--input-type=module", "--eval", IN_NODE]
    done = subprocess.run(command, cwd=ROOT, input=sent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for case, html in zip(cases, json.loads(done.stdout), strict=True):
        [(name, found)] = Elements(html).found
        assert name == "img"
        assert {**found, "src": "", "srcset": ""} == {**case["img"], "src": "", "srcset": ""}
        for attribute in ("src", "srcset"):
            assert urlsplit(str(found[attribute])).geturl() == urlsplit(case["img"][attribute]).geturl()
