"""Render the images of docs/guides/gallery.md, and generate its parts: ``python -m tools.gallery`` writes the images.

``tools/gallery.toml`` has the examples of each option. Photographs, names and URLs are those of the local stack.
"""

from __future__ import annotations

import io
import json
import re
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from darkroom.imaging.render.output import RenderedImage
from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import Source
from darkroom.overlays.plugin import OVERLAYS
from darkroom.plan.limits import Limits
from darkroom.plan.model import DATA_FORMATS, Plan
from darkroom.plan.native_url import parse_url
from darkroom.plan.option_plugins import register_plugin
from darkroom.plan.options import OPTIONS_BY_NAME, Option
from darkroom.plan.variants import CLASS_TYPES
from local.samples import draw_watermark
from tools.gallery_sources import load_source, mark_findings
from tools.generated_blocks import ROOT, Content, table

PAGE = ROOT / "docs" / "guides" / "gallery.md"
IMAGES = ROOT / "docs" / "images" / "gallery"
EXAMPLES = Path(__file__).with_name("gallery.toml")

NOTE = "note"
"""Names the text of an option, among its URLs."""

SAME_LEVELS = 1.0
"""Mean difference of two images that look the same, in levels of 255: encoders differ by processor and version."""


@dataclass(frozen=True, slots=True)
class Example:
    """A URL ``/samples/<url>``. ``alt`` describes its image; empty if the example has the text ``result`` instead."""

    url: str
    alt: str = ""
    result: str = ""

    @property
    def photograph(self) -> str:
        """Return the name of the source."""
        return self.url.partition("?")[0]

    @property
    def plan(self) -> Plan:
        """Return what is rendered, for a browser that accepts every format."""
        plan = parse_url(f"/samples/{self.url}").plan
        return replace(plan, format=CLASS_TYPES[0][0]) if plan.format == "auto" else plan

    @property
    def file(self) -> Path | None:
        """Return the file of the image, which :func:`write_images` has written; None for one that does not exist."""
        return next(iter(IMAGES.glob(f"{self.name}.*")), None)

    @property
    def name(self) -> str:
        """Return the name of the file, without the extension."""
        return re.sub(r"[^a-z0-9]+", "-", self.url.lower())


@dataclass(frozen=True, slots=True)
class Entry:
    """An option with its examples; ``note`` adds to its description."""

    option: Option
    examples: tuple[Example, ...]
    note: str = ""


@cache
def read_groups() -> dict[str, list[Entry]]:
    """Read the entries of the page by the title of their group."""
    groups = tomllib.loads(EXAMPLES.read_text(encoding="utf-8"))
    return {title: [_read_entry(*each) for each in options.items()] for title, options in groups.items()}


def _read_entry(short: str, lines: dict[str, Any]) -> Entry:
    note = str(lines.pop(NOTE, ""))
    examples = (
        Example(url, text) if isinstance(text, str) else Example(url, result=text["result"])
        for url, text in lines.items()
    )
    return Entry(OPTIONS_BY_NAME[short], tuple(examples), note)


def list_entries() -> list[Entry]:
    """Return all entries."""
    return [entry for entries in read_groups().values() for entry in entries]


def list_images() -> dict[str, Example]:
    """Return the examples with an image by the names of their files."""
    return {each.name: each for entry in list_entries() for each in entry.examples if each.alt}


def render_example(example: Example) -> RenderedImage:
    """Render what the URL answers in a deployment with inference."""
    register_plugin(OVERLAYS)
    return render(
        example.plan,
        Source.from_bytes(load_source(example.photograph)),
        limits=Limits(),
        watermark=draw_watermark() if example.plan.watermark else None,
        findings=mark_findings(example.photograph),
    )


def write_images() -> None:
    """Render every image into :data:`IMAGES`. A file that shows the same stays; others are deleted."""
    IMAGES.mkdir(exist_ok=True)
    kept = set()
    for name, example in list_images().items():
        made = render_example(example)
        path = IMAGES / f"{name}.{made.content_type.partition('/')[2]}"
        if not (path.exists() and shows_the_same(path.read_bytes(), made.body)):
            path.write_bytes(made.body)
        kept.add(path)
    for path in set(IMAGES.iterdir()) - kept:
        path.unlink()


def shows_the_same(one: bytes, other: bytes) -> bool:
    """Return whether two files differ by no more than encoders do."""
    first, second = (np.asarray(Image.open(io.BytesIO(body)).convert("RGBA"), np.int16) for body in (one, other))
    return first.shape == second.shape and float(np.abs(first - second).mean()) <= SAME_LEVELS


def _index() -> str:
    rows = (
        (
            f"[{title}](#{_slug(title)})",
            " ".join(f"[`{_list_names(each)[0]}`](#{_slug(_head(each))})" for each in entries),
        )
        for title, entries in read_groups().items()
    )
    return table(("group", "options"), *rows)


def _slug(heading: str) -> str:
    """Return the anchor of a heading, as GitHub and the site make it."""
    return re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")


def _list_names(entry: Entry) -> list[str]:
    return list(dict.fromkeys((entry.option.short, entry.option.long)))


def _head(entry: Entry) -> str:
    return " ".join(f"`{name}`" for name in _list_names(entry))


def _gallery() -> str:
    return "".join(
        f"\n\n## {title}\n{''.join(map(_format_entry, entries))}" for title, entries in read_groups().items()
    )


def _format_entry(entry: Entry) -> str:
    figures = "".join(_format_figure(entry, each) for each in entry.examples if each.alt)
    texts = "".join(_format_result(entry, each) for each in entry.examples if not each.alt)
    block = f'\n<div class="gallery">\n{figures}</div>\n' if figures else ""
    return f"\n### {_head(entry)}\n\n{' '.join(filter(None, (entry.option.doc, entry.note)))}\n{block}{texts}"


def _format_figure(entry: Entry, example: Example) -> str:
    if example.file is None:
        raise FileNotFoundError(f"{example.url} has no image: run `make docs`")
    width, height = _measure(example.file)
    widest = max(_measure(each.file)[0] for each in entry.examples if each.file)
    share = 100 if entry.option.short == "dpr" else round(100 * width / widest)  # a ratio changes pixels, not the size
    size = f"{example.file.stat().st_size / 1000:.1f} KB"
    return (
        f'<figure><img src="../images/gallery/{example.file.name}" alt="{escape(example.alt)}"'
        f' width="{width}" height="{height}" style="width:{share}%" loading="lazy">'
        f"<figcaption>{_format_url(entry, example)}<br>{width} × {height} px, {size}</figcaption></figure>\n"
    )


def _measure(file: Path) -> tuple[int, int]:
    with Image.open(file) as image:
        return image.size


def _format_url(entry: Entry, example: Example) -> str:
    """Format a URL with the option in bold; a line may end before it."""
    url = re.sub(rf"(?<=[?;])({entry.option.short}=[^&]*)", r"<wbr><b>\1</b>", escape(example.url))
    return f"<code>/samples/{url}</code>"


def _format_result(entry: Entry, example: Example) -> str:
    text = _format_data(render_example(example)) if example.plan.format in DATA_FORMATS else example.result
    return f"\n{_format_url(entry, example)}\n\n{text}\n"


def _format_data(made: RenderedImage) -> str:
    """Format JSON with a line for each key, also in objects of it, and other data as they are."""
    text = made.body.decode()
    if not text.startswith("{"):
        return f"```text\n{text}\n```"
    return f"```json\n{_format_object(json.loads(text))}\n```"


def _format_object(value: object, margin: str = "") -> str:
    if not isinstance(value, dict) or not value:
        return json.dumps(value)
    inner = f"{margin}  "
    lines = (f"{inner}{json.dumps(key)}: {_format_object(each, inner)}" for key, each in value.items())
    return "{\n" + ",\n".join(lines) + f"\n{margin}}}"


CONTENT: Content = {"gallery-index": _index, "gallery": _gallery}

if __name__ == "__main__":
    write_images()
