"""The URLs that are compared: generated combinations of sizes, crops and filters."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product
from typing import NamedTuple

from .sources import ALPHA, BORDERED, FRAME, GREY, MARK, MOVING, SECOND_MARK, SMALL, TALL, WIDE


class Row(NamedTuple):
    """One URL: ``path`` without ``unsafe``, and the ``group`` of its purpose."""

    group: str
    path: str


SIZES = (
    *("300x200", "300x0", "0x200", "300x300", "50x400", "400x50", "1x1", "1x100", "700x500", "1000x0", "0x1000"),
    *("640x427", "641x427", "321x214", "100x67", "99x66", "97x", "x131", "x", "origx100", "100xorig", "origxorig"),
    *("-300x200", "300x-200", "-300x-200", "-0x0", "-0x-150", "213x0", "0x333", "319x481", "7x3", "origx0", "0xorig"),
)
FITS = ("fit-in", "full-fit-in", "adaptive-fit-in", "adaptive-full-fit-in")
FIT_SIZES = ("300x200", "200x300", "300x0", "0x200", "1000x900", "101x303", "333x333", "57x991", "640x427", "origx100")
PLACES = tuple(
    "/".join(filter(None, pair)) for pair in product(("left", "center", "right", ""), ("top", "middle", "bottom", ""))
)
CROPS = ("10x20:300x200", "0x0:50x50", "200x150:1000x1000", "500x400:600x500", "50x50:10x10", "33x17:34x18")
TRIMS = ("trim", "trim:bottom-right", "trim:10", "trim:bottom-right:25", "trim:60", "trim:top-left:5", "trim:300")

FILTERS = (
    *("autojpg()", "autojpg(0)", "background_color(red)", "background_color(0f0)", "blur(3)", "blur(7,2)", "blur(1)"),
    *("brightness(20)", "brightness(-45)", "brightness(100)", "colorize(40,20,10,ff8800)", "contrast(30)"),
    *("contrast(-50)", "convolution(1;2;1;2;4;2;1;2;1,3,true)", "convolution(-1;-1;-1;-1;8;-1;-1;-1;-1,3,false)"),
    *("cover()", "curve([(0,0),(255,255)],[(0,50),(16,51),(32,69),(255,255)],[(0,0),(255,200)],[(0,0),(255,255)])"),
    *("equalize()", "fill(red)", "fill(00ff00,1)", "fill(blur)", "fill(auto)", "fill(transparent)", "fill(blue,true)"),
    *("focal(10x10:60x50)", "focal(200x100:300x200)", "format(jpeg)", "format(webp)", "format(png)", "format(gif)"),
    *("format(tiff)", "format(avif)", "grayscale()", "max_age(100)", "max_bytes(9000)", "no_upscale()", "noise(20)"),
    *("noise(40,1)", "proportion(0.5)", "proportion(0.333)", "proportion(1.5)", "proportion(0.001)", "quality(30)"),
    *("quality(100)", "quality(0)", "red_eye()", "rgb(20,-20,40)", "rgb(0,0,0)", "rotate(90)", "rotate(180)"),
    *("rotate(-90)", "rotate(270)", "rotate(450)", "rotate(45)", "round_corner(20,255,0,0)"),
    *("round_corner(30|10,0,0,255,1)", "round_corner(1000,0,255,0)", "saturation(0)", "saturation(1.7)"),
    *("saturation(-1)", "sharpen(2,1,true)", "sharpen(0,1,false)", "stretch()", "strip_exif()", "strip_icc()"),
    *("upscale()", "unknown(1)", "gifv()", "gifv(webm)", "blur(x)", "quality(abc)"),
    *(f"frame({FRAME})", f"watermark({MARK},10,10,50)", f"watermark({MARK},-10,-10,0)"),
    *(f"watermark({MARK},center,center,20)", f"watermark({MARK},repeat,repeat,40)", f"watermark({MARK},repeat,10,40)"),
    *(f"watermark({MARK},10,repeat,40)", f"watermark({MARK},center,repeat,40)", f"watermark({MARK},repeat,-5p,0)"),
    *(f"watermark({MARK},10p,-20p,0,30)", f"watermark({MARK},0,0,0,none,40)", f"watermark({MARK},5,5,0,20,20)"),
    *(f"watermark({MARK},-3,4,100)", f"watermark({MARK},repeat,repeat,0,60,none)", f"watermark({MARK},300,300,0)"),
    f"watermark({MARK},10,10,50):watermark({SECOND_MARK},-10,-10,20)",
    f"watermark({MARK},repeat,repeat,50):watermark({SECOND_MARK},center,center,0,30)",
    f"watermark({MARK},10,10,50):watermark({MARK},-10,-10,20)",
)
ORDERED = (
    *("rotate(90)", "fill(0000ff)", "proportion(0.5)", "grayscale()", "brightness(40)", "contrast(60)", "blur(4)"),
    *("round_corner(40,255,0,0)", f"watermark({MARK},10,-10,0)", "equalize()", "upscale()", "saturation(2)"),
)
"""Filters whose order may matter: each before and after each other one."""


def rows() -> list[Row]:
    """All rows, each once."""
    return list(dict.fromkeys(_rows()))


def _rows() -> Iterator[Row]:
    for size, image in product(SIZES, (WIDE, TALL, SMALL, ALPHA)):
        yield Row("size", f"{size}/{image}")
    for place, size, image in product(PLACES, ("300x100", "100x300"), (WIDE, TALL)):
        yield Row("place", f"{size}/{place}/{image}" if place else f"{size}/{image}")
    for fit, size, image in product(FITS, FIT_SIZES, (WIDE, TALL, SMALL)):
        yield Row("fit", f"{fit}/{size}/{image}")
    for crop, size, image in product(CROPS, ("", "100x80/", "fit-in/70x90/", "0x40/"), (WIDE, TALL)):
        yield Row("crop", f"{crop}/{size}{image}")
    for trim, size in product(TRIMS, ("", "100x80/", "fit-in/400x60/", "40x30:120x140/")):
        yield Row("trim", f"{trim}/{size}{BORDERED}")
    for calls, size, image in product(FILTERS, ("200x150/", "fit-in/260x260/"), (WIDE, ALPHA)):
        yield Row("filter", f"{size}filters:{calls}/{image}")
    for calls in ("stretch()", "no_upscale()", "upscale()", "stretch():upscale()", "fill(red):upscale()"):
        for size, image in product(("500x100", "100x500", "900x800", "0x700", "80x0"), (WIDE, SMALL)):
            yield Row("growth", f"{size}/filters:{calls}/{image}")
            yield Row("growth", f"fit-in/{size}/filters:{calls}/{image}")
    for first, second in permutations(ORDERED, 2):
        yield Row("order", f"fit-in/220x180/filters:{first}:{second}/{WIDE}")
    for calls, image in product(("blur(2)", "rotate(90)", "fill(red)", "grayscale()", "format(png)"), (GREY, MOVING)):
        yield Row("kind", f"fit-in/80x100/filters:{calls}/{image}")
