"""The gallery of options: every option is in it, and its images are what the renderer makes of their URLs."""

from __future__ import annotations

import io
import json
import re

import pytest

from darkroom.plan.options import NATIVE_OPTIONS
from darkroom.plan.url_builder import sign_literal
from tests.images.rendering import alike, apart, opened, seen
from tools.gallery import CONTENT, IMAGES, PAGE, list_entries, list_images, read_groups, render_example, shows_the_same
from tools.gallery_sources import load_source
from tools.generated_blocks import fill
from tools.signing_vectors import FILE

LEAST_SSIM, MOST_LEVELS = 0.97, 2.5
"""As for the goldens of the stack: room for another version of an encoder."""

MAX_BYTES = 600_000


def test_the_page_is_fresh() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert fill(page, CONTENT) == page, "run `make docs`"


def test_every_option_has_an_example() -> None:
    shown = [entry.option.short for entry in list_entries()]
    assert sorted(shown) == sorted(option.short for option in NATIVE_OPTIONS)
    for entry in list_entries():
        own = f"[?&]{entry.option.short}="
        assert any(re.search(own, each.url) for each in entry.examples), entry.option.short


def test_an_image_has_a_text_that_describes_it_and_no_other() -> None:
    for entry in list_entries():
        texts = [each.alt or each.result for each in entry.examples if each.plan.format not in ("json", "thumbhash")]
        assert all(texts), entry.option.short
        assert len(set(texts)) == len(texts), entry.option.short


def test_every_image_has_a_file() -> None:
    assert {path.stem for path in IMAGES.iterdir()} == set(list_images())
    assert sum(path.stat().st_size for path in IMAGES.iterdir()) < MAX_BYTES


@pytest.mark.sample(8)
@pytest.mark.parametrize("name", list_images())
def test_an_image_is_what_its_url_renders(name: str) -> None:
    example = list_images()[name]
    assert example.file
    image, stored = seen(render_example(example).body), seen(example.file.read_bytes())
    assert alike(image, stored) >= LEAST_SSIM
    assert apart(image, stored) <= MOST_LEVELS


def test_a_file_stays_where_encoders_differ_only() -> None:
    examples = list_images()
    first, brighter, smaller = (
        render_example(examples[f"coffee-png-w-{name}"]).body for name in ("320", "320-bri-30", "160")
    )
    out = io.BytesIO()
    opened(first).save(out, "PNG")
    assert shows_the_same(first, out.getvalue())
    assert not shows_the_same(first, brighter)
    assert not shows_the_same(first, smaller)


def test_equal_quality_costs_the_fewest_bytes_as_avif() -> None:
    """What the note on the formats says."""
    sizes = {path.suffix: path.stat().st_size for path in IMAGES.glob("coffee-png-w-160-q-auto-f-*")}
    assert sizes[".avif"] < sizes[".webp"] < sizes[".jpeg"] < sizes[".gif"] < sizes[".png"]


def test_the_signature_is_one_of_the_test_vectors_key() -> None:
    [entry] = [entry for entry in list_entries() if entry.option.short == "s"]
    target = f"/samples/{entry.examples[0].url}"
    assert sign_literal(target, json.loads(FILE.read_text(encoding="utf-8"))["key"]) == target


def test_links_of_the_index_lead_to_options() -> None:
    page = PAGE.read_text(encoding="utf-8")
    headings = re.findall(r"^###? (.+)$", page, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\(#([^)]+)\)", page)) == anchors
    assert len(anchors) == len(headings) == len(list_entries()) + len(read_groups())


def test_sources_are_equal_in_every_run() -> None:
    kept = {name: load_source(name) for name in ("noisy.png", "slides.gif")}
    load_source.cache_clear()
    assert {name: load_source(name) for name in kept} == kept
