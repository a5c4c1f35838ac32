"""Serve dialect URLs by the transform function's dialects service over a store in memory."""

from __future__ import annotations

import io
from base64 import b64decode
from collections.abc import Iterable
from copy import copy
from dataclasses import replace
from functools import cache

import numpy as np
import pyvips
from obstore.store import MemoryStore
from PIL import Image

from darkroom.aws.s3_fast import FastBucket
from darkroom.http.response import DIALECT, VIEWER_URL, EdgeRequest, HttpResponse
from darkroom.plan.presets import parse_presets
from darkroom.plan.variants import AccessMode
from darkroom.services.serve.transform import Transform
from darkroom_dialects.common.parsed_url import DialectKey
from darkroom_dialects.common.settings import CloudflareSettings, DialectSettings, ImgproxySettings
from darkroom_dialects.common.sources import Sources
from darkroom_dialects.serving.delivery import Delivery
from darkroom_dialects.serving.handler import respond
from darkroom_dialects.serving.service import DialectService
from tests.fixed_keys import FixedKeys

MARK = "watermarks/geometry.png"
ACCOUNT = "ZWd9g1K7eljCn_KDTu_MWA"
PRESETS = parse_presets(
    {
        "presets": {"card": {"w": 256, "h": 256, "fit": "cover", "f": "webp"}},
        "watermarks": {"default": MARK},
    }
)
TRUSTED = "a-trusted-signature"
SETTINGS = DialectSettings(
    Sources((("local:///", ""), ("//images.example.com/", ""))),
    {"default": MARK},
    ImgproxySettings(presets={"thumb": "rs:fill:100:50/g:ce"}, trusted_signatures=[TRUSTED]),
    cloudflare=CloudflareSettings(ACCOUNT),
    presets=PRESETS,
)


KEY = DialectKey("943b421c9eb07c830af81030552c8600", "520f986b998545b4785e0defbc4f3c12")
SIGNING_KEYS = FixedKeys(("signing key of a test",))


class Deployment:
    """A deployment in the mode ``open``, with its masters."""

    def __init__(self, key: DialectKey = KEY) -> None:
        self.bucket = FastBucket(MemoryStore())
        self.bucket.put(MARK, image("plain 200x100"), {})
        transform = Transform(
            source=self.bucket, media=self.bucket, keys=SIGNING_KEYS, mode=AccessMode.OPEN, presets=lambda: PRESETS
        )
        self.dialects = DialectService(
            transform=transform,
            delivery=Delivery(self.bucket, SIGNING_KEYS, 3600),
            keys=FixedKeys({"imgproxy": (key,)}),
            modes={"imgproxy": AccessMode.OPEN, "cloudflare": AccessMode.OPEN},
            settings=lambda: SETTINGS,
        )

    def signed(self) -> Deployment:
        """This deployment in the mode ``signed``."""
        other = copy(self)
        other.dialects = replace(self.dialects, modes=dict.fromkeys(self.dialects.modes, AccessMode.SIGNED))
        return other

    def get(self, url: str, language: str = "imgproxy", *, method: str = "GET", **headers: str) -> HttpResponse:
        """Answer ``url``, a path that begins with the dialect's prefix."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        request = EdgeRequest("", method, {DIALECT: language, VIEWER_URL: url, **sent})
        return respond(self.dialects, request)[0]


def deploy(sources: Iterable[str]) -> Deployment:
    """A deployment with the :func:`image` of each source as a master."""
    made = Deployment()
    for source in sources:
        made.bucket.put(f"masters/{key_of(source)}", image(source), {})
    return made


def key_of(source: str) -> str:
    """The key of a source's master."""
    return source.replace(" ", "-")


def body_of(response: HttpResponse) -> bytes:
    """The bytes of an answer of 200."""
    assert response["statusCode"] == 200, response["body"]
    return b64decode(str(response["body"]))


def size_of(response: HttpResponse) -> list[int]:
    """Width and height of an answer's image."""
    return list(Image.open(io.BytesIO(body_of(response))).size)


@cache
def image(source: str) -> bytes:
    """Draw a source by its kind and size, such as ``grey 16-bit 240x160``."""
    *kind, size = source.split()
    width, height = map(int, size.split("x"))
    if kind[0] == "orientation":
        return _oriented(width, height, int(kind[1]))
    if kind[0] == "animation":
        return _moving(width, height)
    if kind[0] in ("steps", "bands", "holes"):
        return {"steps": _steps, "bands": _bands, "holes": _holes}[kind[0]](width, height)
    return _ramps(width, height, kind)


def _ramps(width: int, height: int, kind: list[str]) -> bytes:
    across = np.linspace(0, 1, width)[None, :].repeat(height, 0)
    down = np.linspace(0, 1, height)[:, None].repeat(width, 1)
    bands = [across, down, (across + down) / 2]
    if "grey" in kind:
        bands = bands[:1]
    if "alpha" in kind:
        bands.append(down)
    values = np.stack(bands, 2)
    if "float" in kind:
        image = pyvips.Image.new_from_array(values.astype(np.float32)).copy(interpretation="scrgb")
    elif "16-bit" in kind:
        deep = pyvips.Image.new_from_array((values * 65_535).astype(np.uint16))
        image = deep.copy(interpretation="grey16" if "grey" in kind else "rgb16")
    else:
        flat = pyvips.Image.new_from_array((values * 255).astype(np.uint8))
        image = flat.copy(interpretation="b-w" if "grey" in kind else "srgb")
    return bytes(image.write_to_buffer(".tiff" if "tiff" in kind else ".png"))


def _oriented(width: int, height: int, orientation: int) -> bytes:
    image = Image.open(io.BytesIO(_ramps(width, height, []))).convert("RGB")
    image.getexif()[0x0112] = orientation
    out = io.BytesIO()
    image.save(out, "JPEG", exif=image.getexif())
    return out.getvalue()


def _moving(width: int, height: int) -> bytes:
    frames = [Image.new("RGB", (width, height), colour) for colour in ("red", "green", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=100, loop=0)
    return out.getvalue()


def _steps(width: int, height: int) -> bytes:
    """White, with rectangles that are darker and darker: those of imgproxy's trim1.png by the sizes it expects."""
    image = Image.new("RGB", (width, height), "white")
    edges = ((10, 10, 320, 220, 60), (25, 25, 290, 190, 120), (40, 40, 260, 160, 170), (55, 55, 230, 130, 210))
    for left, top, across, down, darker in (*edges, (70, 70, 200, 100, 235)):
        image.paste((255 - darker,) * 3, (left, top, left + across, top + down))
    return _png(image)


def _bands(width: int, height: int) -> bytes:
    """Red above, blue below: the rows of each colour that trimming imgproxy's trim2.png removes."""
    image = Image.new("RGB", (width, height), "red")
    image.paste((0, 128, 0), (0, 30, width, height))
    image.paste((0, 0, 255), (0, height - 70, width, height))
    return _png(image)


def _holes(width: int, height: int) -> bytes:
    """Transparent below, as imgproxy's trim3.png is by the size it expects."""
    image = Image.new("RGBA", (width, height), "green")
    image.paste((0, 0, 0, 0), (0, height - 70, width, height))
    return _png(image)


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
