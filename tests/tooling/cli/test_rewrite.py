"""Pages of other services, rewritten."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import commands

type Rewrite = Callable[..., commands.Done]

HERE = "https://images.example.com"
CLOUDINARY = "https://res.cloudinary.com/demo/image/upload"
PAGE = f"""<img src="{CLOUDINARY}/c_fill,w_300,g_auto/f_auto,q_auto/v1/photo.jpg"
 srcset="{CLOUDINARY}/w_320/photo.jpg 320w,
   {CLOUDINARY}/w_640/photo.jpg 640w">
<img src="https://shop.imgix.net/a.jpg?w=300&amp;fit=max&amp;s=0a">
<img src='//RES.cloudinary.com/demo/image/upload/a.jpg'>
<p style="background: url({CLOUDINARY}/e_cartoonify/a.jpg)">See https://shop.imgix.net/b.jpg?w=9.</p>
<a href="https://example.com/a.jpg">https://ik.imagekit.io/x/tr:w-300/a.jpg</a>
<img src="https://img.example.com/cdn-cgi/image/width=300/a.jpg"><img src="https://imagedelivery.net/hash/id/public">
"""
REWRITTEN = f"""<img src="{HERE}/cloudinary/demo/image/upload/c_fill,w_300,g_auto/f_auto,q_auto/v1/photo.jpg"
 srcset="{HERE}/cloudinary/demo/image/upload/w_320/photo.jpg 320w,
   {HERE}/cloudinary/demo/image/upload/w_640/photo.jpg 640w">
<img src="{HERE}/imgix/a.jpg?w=300&amp;fit=max&amp;s=0a">
<img src='{HERE}/cloudinary/demo/image/upload/a.jpg'>
<p style="background: url({CLOUDINARY}/e_cartoonify/a.jpg)">See {HERE}/imgix/b.jpg?w=9.</p>
<a href="https://example.com/a.jpg">https://ik.imagekit.io/x/tr:w-300/a.jpg</a>
<img src="{HERE}/cdn-cgi/image/width=300/a.jpg"><img src="{HERE}/cdn-cgi/imagedelivery/hash/id/public">
"""
REASONS = {
    f"{CLOUDINARY}/e_cartoonify/a.jpg": "e_cartoonify is not supported: there is no equivalent",
    "https://ik.imagekit.io/x/tr:w-300/a.jpg": "there is no dialect for this service",
}


@pytest.fixture
def page(tmp_path: Path) -> Path:
    (tmp_path / "settings.toml").write_text('[dialects.cloudflare]\naccount_hash = "hash"\n')
    (tmp_path / "index.html").write_text(PAGE)
    return tmp_path / "index.html"


@pytest.fixture
def rewrite(page: Path, capsys: pytest.CaptureFixture[str]) -> Rewrite:
    """Run the command for the page."""
    settings, host = str(page.with_name("settings.toml")), "img.example.com=cloudflare"
    fixed = ("rewrite", "--to", HERE, "--host", host, "--settings", settings)
    return lambda *options: commands.Commands((), capsys).run(*fixed, *options, str(page))


def test_urls_that_are_served_are_rewritten_and_the_others_stay(rewrite: Rewrite, page: Path) -> None:
    read = rewrite("--json")
    assert (read.code, page.read_text()) == (1, PAGE)
    done = rewrite("--write")
    assert (done.code, page.read_text()) == (1, REWRITTEN)
    assert done.lines[-1] == "8 of 10 URLs rewritten"
    assert {one["url"]: one["reason"] for one in read.document["urls"] if one["reason"]} == REASONS
    assert all(f"{url}: {reason}" in done.out for url, reason in REASONS.items())
    again = rewrite("--json", "--write")
    assert {one["url"] for one in again.document["urls"]} == REASONS.keys()
    assert page.read_text() == REWRITTEN


def test_a_list_of_urls_is_rewritten_line_by_line(rewrite: Rewrite, page: Path) -> None:
    page.write_text("https://a.imgix.net/a%20b.jpg?w=300&fit=max\nhttps://b.imgix.net/c.jpg\n")
    assert rewrite("--write").code == 0
    assert page.read_text() == f"{HERE}/imgix/a%20b.jpg?w=300&fit=max\n{HERE}/imgix/c.jpg\n"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--to", "images.example.com"), "--to must be an address without a path"),
        (("--to", f"{HERE}/x"), "--to must be an address without a path"),
        (("--host", "img.example.com=iiif"), "is not a host, = and one of imgproxy, thumbor, dit"),
        (("--host", "img.example.com"), "is not a host"),
    ],
)
def test_wrong_options_are_named(rewrite: Rewrite, options: tuple[str, ...], reason: str) -> None:
    done = rewrite(*options)
    assert done.code == 2
    assert reason in done.err


def test_wrong_settings_are_named(rewrite: Rewrite, page: Path) -> None:
    for text, reason in {"x": "settings.toml", "[dialects.nothing]\na = 1": "dialects"}.items():
        page.with_name("settings.toml").write_text(text)
        done = rewrite()
        assert (done.code, page.read_text()) == (2, PAGE)
        assert reason in done.err
