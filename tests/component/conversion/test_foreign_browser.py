"""Files of other projects look as they do in Chromium, or the difference is written down."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
from aiohttp import web

from darkroom.errors import DarkroomError
from tests.component.browser.browser import CHROMIUM, open_browser
from tests.component.browser.serving import served
from tests.foreign import DIFFERENT, FOREIGN, LIBVIPS, REFUSED

from .foreign_uploads import CELLS, examine, render_cells

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("jxl_packages"),
    pytest.mark.skipif(not LIBVIPS, reason=f"no foreign files at {FOREIGN}"),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
]

MOST_DIFFERENT = 3.0
"""Mean difference of a cell's channel, of 255: other rounding makes less than 1, a wrong profile 5 and more."""
DRAW = f"""async url => {{
  const image = new Image();
  image.src = url;
  try {{ await image.decode(); }} catch (error) {{ return null; }}
  const [width, height] = [image.naturalWidth, image.naturalHeight];
  const context = new OffscreenCanvas(width, height).getContext('2d', {{willReadFrequently: true}});
  context.fillStyle = 'white';
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0);
  const data = context.getImageData(0, 0, width, height).data;
  const [across, down] = [Math.min({CELLS}, width), Math.min({CELLS}, height)];
  const sums = new Float64Array(across * down * 3), counts = new Float64Array(across * down);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {{
    const cell = Math.floor(y * down / height) * across + Math.floor(x * across / width);
    counts[cell]++;
    for (let channel = 0; channel < 3; channel++)
      sums[cell * 3 + channel] += data[(y * width + x) * 4 + channel];
  }}
  return [width, height, [...sums].map((sum, index) => sum / counts[Math.floor(index / 3)])];
}}"""
"""Width, height and the mean colours of the cells on white, null where the browser shows nothing."""


async def serve_file(request: web.Request) -> web.Response:
    name = request.match_info["path"]
    if name not in LIBVIPS:
        return web.Response(text="<!doctype html><body></body>", content_type="text/html")
    kind = "image/svg+xml" if name.endswith(".svg") else "image/x-unknown"
    return web.Response(body=(FOREIGN / name).read_bytes(), headers={"content-type": kind})


async def draw_all() -> dict[str, Any]:
    """What the browser shows of each file."""
    async with served(serve_file) as url, open_browser() as page:
        await page.open(url)
        return {name: await page.tab.evaluate(DRAW, f"/{name}") for name in LIBVIPS}


def differs(name: str, drawn: Any) -> bool:
    """Whether a served file has another size or other colours than ``drawn``."""
    if drawn is None:
        return False
    examined = examine(name)
    width, height, colours = drawn
    if (examined.header.upright_width, examined.header.upright_height) != (width, height):
        return True
    cells = render_cells(examined.master)
    return float(np.abs(cells - np.array(colours).reshape(cells.shape)).mean()) > MOST_DIFFERENT


def test_what_a_browser_shows_is_served_alike_or_decided() -> None:
    drawn = asyncio.run(draw_all())
    assert sum(one is not None for one in drawn.values()) > len(LIBVIPS) / 2
    refused = {name for name, refusal in REFUSED.items() if "Chromium" in refusal.shown_by}
    assert {name for name in REFUSED if drawn[name] is not None} == refused
    different, failed = set(), dict[str, str]()
    for name in sorted(set(LIBVIPS) - set(REFUSED)):
        try:
            if differs(name, drawn[name]):
                different.add(name)
        except DarkroomError as error:
            failed[name] = error.code
    assert not failed
    changed = sorted(different ^ set(DIFFERENT))
    assert not changed, f"these differ and are not in the table, or the reverse: {changed}"
