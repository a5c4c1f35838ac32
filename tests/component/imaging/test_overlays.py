"""Overlays as they are drawn: place, size, scripts, blend modes and bounds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray
from PIL import Image

from darkroom.errors import BadOption
from darkroom.imaging.quality.ssimulacra2 import Comparator
from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import Source
from darkroom.overlays.language import BLEND_MODES, TEXT, Measure, Overlay, parse_overlays
from darkroom.overlays.text import render_text
from darkroom.plan.canonical import build_plan
from darkroom.plan.geometry.layout import Box, Size
from darkroom.plan.limits import Limits
from darkroom.plan.option_types import Value
from darkroom_dialects import imgproxy
from darkroom_dialects.common.settings import DialectSettings
from tests.images.photographs import jpeg_photo
from tests.images.sources import saved

GREY = (100, 120, 140)
CANVAS, USUAL = Size(800, 600), Size(400, 300)

LEAST_PX = 700
"""Of 200 characters below each other, in a font of 1 px, whose lines have three."""

LARGE_TEXTS = (f"text:{'W' * 200},size:50,back:000000", "text:a,size:8192px", f"text:{'文' * 100}")

type Pixels = NDArray[np.uint8]


def draw(overlays: str, size: Size = USUAL, **more: Value) -> Pixels:
    """Draw ``overlays`` over an image of one colour."""
    files = more.pop("files", {})
    assert isinstance(files, Mapping)
    values: dict[str, Value] = {"ov": overlays, "f": "png", **more}
    parse_overlays(overlays)
    source = Source.from_bytes(saved(Image.new("RGB", size, GREY), "PNG"))
    made = render(build_plan("a", values), source, limits=Limits(), overlays=files)
    return np.asarray(pyvips.Image.new_from_buffer(made.body, "").numpy())


def find_box(pixels: Pixels) -> Box:
    """Find the bounds of what differs from the background."""
    lines, columns = np.nonzero((np.abs(pixels[..., :3].astype(int) - GREY) > 8).any(axis=2))
    left, top = int(columns.min()), int(lines.min())
    return Box(left, top, int(columns.max()) - left + 1, int(lines.max()) - top + 1)


def draw_text(text: str, **more: object) -> Pixels:
    """Draw a text alone; the result is its opacity."""
    overlay = Overlay(TEXT, text, size=Measure(40, True), **more)  # type: ignore[arg-type]
    return np.asarray(render_text(overlay, CANVAS).numpy())[..., 3]


def draw_mark(width: int = 40, height: int = 20, colour: tuple[int, ...] = (200, 50, 30)) -> bytes:
    return saved(Image.new("RGB" if len(colour) == 3 else "RGBA", (width, height), colour), "PNG")


@pytest.mark.parametrize(
    ("parameters", "box"),
    [
        ("", Box(294, 244, 100, 50)),  # a quarter of 400 px, and 2 % of 300 px from the sides
        (",at:northwest", Box(6, 6, 100, 50)),
        (",at:center", Box(150, 125, 100, 50)),
        (",at:north,y:0", Box(150, 0, 100, 50)),
        (",at:northwest,x:10,y:20px,width:50", Box(40, 20, 200, 100)),
        (",at:northwest,x:0,y:0,width:50,height:10", Box(0, 0, 60, 30)),
        (",at:northwest,x:0,y:0,own:1", Box(0, 0, 40, 20)),
        (",at:northwest,x:-20px,y:0,own:1", Box(0, 0, 20, 20)),
        (",x:0,y:0,own:1,rotate:90", Box(380, 260, 20, 40)),
        (",own:1,tile:1", Box(0, 0, 400, 300)),
    ],
)
def test_an_image_has_its_place_and_size(parameters: str, box: Box) -> None:
    assert find_box(draw(f"image:m.png{parameters}", files={"overlays/m.png": draw_mark()})) == box


def imgproxy_overlays(options: str) -> str:
    return imgproxy.parse(f"/x/{options}/plain/a.jpg", DialectSettings()).plan.overlays


@pytest.mark.parametrize(
    ("negative", "zero"),
    [
        ("text:a,x:-50,y:-0.5,tile:1", "text:a,x:0,y:0,tile:1"),
        ("image:m.png,x:-40px,y:-100,own:1,tile:1", "image:m.png,x:0,y:0,own:1,tile:1"),
        (imgproxy_overlays("wm:1:re:-100:-100/wmt:YQ"), imgproxy_overlays("wm:1:re:0:0/wmt:YQ")),
    ],
)
def test_tiles_with_negative_offsets_have_no_gaps(negative: str, zero: str) -> None:
    files = {"overlays/m.png": draw_mark()}
    assert np.array_equal(draw(negative, files=files), draw(zero, files=files))


def test_overlays_are_drawn_in_their_order_over_margins_and_corners() -> None:
    files = {"overlays/a.png": draw_mark(colour=(255, 0, 0)), "overlays/b.png": draw_mark(colour=(0, 0, 255))}
    both = "image:a.png,at:northwest,x:0,y:0;image:b.png,at:northwest,x:50px,y:0"
    pixels = draw(both, Size(200, 100), files=files, w=400, h=400, fit="letterbox", up=True, bg="00ff00")
    assert pixels.shape == (400, 400, 3)
    assert [tuple(pixels[10, x]) for x in (10, 60, 140, 160)] == [(255, 0, 0), (0, 0, 255), (0, 0, 255), (0, 255, 0)]


@pytest.mark.parametrize("mode", BLEND_MODES)
def test_blend_modes_are_those_of_css(mode: str) -> None:
    """Compositing and Blending Level 1, "Blending", in 8-bit sRGB."""
    top = (200, 50, 30)
    pixels = draw(f"image:m.png,width:100{'' if mode == 'over' else f',blend:{mode}'}",
                  Size(64, 64), files={"overlays/m.png": draw_mark(10, 10, top)})  # fmt: skip
    found = pixels[32, 32]
    below, above = np.array(GREY) / 255, np.array(top) / 255
    soft = np.where(below <= 0.25, ((16 * below - 12) * below + 4) * below, np.sqrt(below))
    expected = {
        "over": above,
        "multiply": below * above,
        "screen": below + above - below * above,
        "overlay": np.where(below <= 0.5, 2 * below * above, 1 - 2 * (1 - below) * (1 - above)),
        "darken": np.minimum(below, above),
        "lighten": np.maximum(below, above),
        "hard-light": np.where(above <= 0.5, 2 * below * above, 1 - 2 * (1 - below) * (1 - above)),
        "soft-light": np.where(
            above <= 0.5,
            below - (1 - 2 * above) * below * (1 - below),
            below + (2 * above - 1) * (soft - below),
        ),
        "difference": np.abs(below - above),
        "exclusion": below + above - 2 * below * above,
        "add": np.minimum(1, below + above),
        "color-dodge": np.minimum(1, below / (1 - above)),
        "color-burn": 1 - np.minimum(1, (1 - below) / above),
    }[mode]
    assert np.abs(found - expected * 255).max() <= 1.5, (found, expected * 255)


def test_opacity_mixes_with_what_is_below() -> None:
    pixels = draw("image:m.png,width:100,opacity:40", files={"overlays/m.png": draw_mark(colour=(255, 255, 255))})
    assert np.abs(pixels[200, 200].astype(int) - np.array([162, 174, 186])).max() <= 1


def test_a_text_has_its_colour_its_box_and_its_size() -> None:
    pixels = draw("text:HHHH,at:northwest,x:0,y:0,size:10,color:ff0000,back:ffff00", Size(400, 300))
    box = find_box(pixels)
    assert (box.left, box.top) == (0, 0)
    colours, counts = np.unique(pixels[: box.height, : box.width].reshape(-1, 3), axis=0, return_counts=True)
    common = {tuple(map(int, colours[at])) for at in np.argsort(counts)[-2:]}
    assert common == {(255, 0, 0), (255, 255, 0)}
    red = (pixels == (255, 0, 0)).all(axis=2)
    lines = np.nonzero(red.any(axis=1))[0]
    cap_height = lines.max() - lines.min() + 1
    assert cap_height == pytest.approx(0.714 * 40, abs=1.5)  # of Noto Sans at 10 % of 400 px
    assert box.height == pytest.approx(cap_height + 2 * 16, abs=2)  # 40 % of the font's size on each side


def test_a_text_is_the_same_at_any_size_of_the_image() -> None:
    """Sizes are relative, so that renditions show the same. Places are rounded to pixels, which lowers the score."""
    overlays = "text:Große Auswahl,at:center,size:9,color:000000,bold:1"
    bodies = []
    for width in (640, 320):
        plan = build_plan("a", {"w": width, "f": "png", "ov": overlays})
        bodies.append(render(plan, Source.from_bytes(jpeg_photo((640, 420))), limits=Limits()).body)
    large, small = bodies
    assert Comparator(pyvips.Image.new_from_buffer(large, "").resize(0.5)).score(small) > 25
    [overlay] = parse_overlays(overlays)
    shares = [render_text(overlay, Size(width, width)).width / width for width in (1280, 640, 320, 160)]
    assert max(shares) - min(shares) < 2 / 160


def test_the_rest_of_the_image_is_unchanged() -> None:
    source = jpeg_photo((640, 420))
    plain, drawn = (
        pyvips.Image.new_from_buffer(
            render(build_plan("a", values), Source.from_bytes(source), limits=Limits()).body, ""
        ).numpy()
        for values in ({"f": "png"}, {"f": "png", "ov": "text:Sale,at:south"})
    )
    assert np.array_equal(plain[:300], drawn[:300])
    assert not np.array_equal(plain, drawn)


def test_right_to_left_text_is_reordered() -> None:
    """The same characters in the order in which they are seen, with an override, look the same."""
    assert np.array_equal(draw_text("אבג"), draw_text("\u202dגבא\u202c"))
    assert not np.array_equal(draw_text("אבג"), draw_text("גבא"))
    mixed, latin = draw_text("abc אבג"), draw_text("abc")
    left = mixed[:, : latin.shape[1]].max(axis=0) > 128
    assert np.array_equal(left, latin.max(axis=0) > 128), "a line that begins in Latin has its Latin on the left"


def test_arabic_letters_join_and_devanagari_forms_conjuncts() -> None:
    assert draw_text("ببب").shape[1] < draw_text("ب\u200cب\u200cب").shape[1]
    assert draw_text("क्ष").shape[1] < draw_text("क्\u200cष").shape[1]


def test_chinese_characters_have_the_shape_of_their_language() -> None:
    assert not np.array_equal(draw_text("直", lang="ja"), draw_text("直", lang="zh-cn"))


@pytest.mark.parametrize("text", ["Sale", "Привет", "عرض", "מבצע", "सेल", "限时", "セール", "할인", "ลด", "Ελλ", "🔥"])
def test_every_script_has_glyphs(text: str) -> None:
    """A missing glyph is a box with the number of its character."""
    assert draw_text(text).max() == 255
    missing = draw_text("\U00013000")
    assert draw_text(text[0]).shape != missing.shape or not np.array_equal(draw_text(text[0]), missing)


def test_a_text_without_visible_characters_is_a_bad_option() -> None:
    with pytest.raises(BadOption, match="no visible characters"):
        draw("text:\u200b\u2060")


def test_markup_is_text() -> None:
    assert draw_text("<b>&amp;</b>").shape[1] > draw_text("&").shape[1] * 4


def test_a_text_breaks_at_its_width_and_at_line_breaks() -> None:
    one, two = draw_text("nnn nnn"), draw_text("nnn\nnnn")
    assert two.shape[0] > 1.8 * one.shape[0]
    assert draw_text("nnn nnn", width=Measure(one.shape[1] - 5, True)).shape == two.shape


def test_a_text_that_fits_fills_its_box() -> None:
    box = find_box(draw("text:SOLD OUT,at:center,width:80,height:80,fit:1", Size(400, 300)))
    assert box.width == pytest.approx(320, abs=4)
    tall = find_box(draw(r"text:A\nB\nC\nD,at:center,width:80,height:50,fit:1", Size(400, 300)))
    assert tall.height == pytest.approx(150, abs=4)


@pytest.mark.parametrize("size", [Size(1, 1), Size(3, 2000), Size(2000, 3), Size(60, 40)])
@pytest.mark.parametrize(
    "overlay", [f"text:{'W' * 200},size:50,back:000000", "text:a,size:8192px", f"text:{'文' * 100}"]
)
def test_a_text_is_never_larger_than_its_image(size: Size, overlay: str) -> None:
    made = render_text(parse_overlays(overlay)[0], size)
    assert made.width <= max(size.width + 2, LEAST_PX)
    assert made.height <= max(size.height + 2, LEAST_PX)
    assert draw(overlay, size).shape[:2] == (size.height, size.width)


@pytest.mark.parametrize("size", [Size(1, 1), Size(2, 500)])
def test_an_image_of_any_shape_takes_every_overlay(size: Size) -> None:
    files = {"overlays/m.png": draw_mark(3, 900)}
    text = "image:m.png,rotate:33;image:m.png,width:100,tile:1;text:a,rotate:45;text:b,tile:1"
    assert draw(text, size, files=files).shape[:2] == (size.height, size.width)


def test_every_frame_has_the_overlay() -> None:
    frames = [Image.new("RGB", (60, 40), (level, 0, 0)) for level in (0, 100, 200)]
    source = Source.from_bytes(saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=50))
    plan = build_plan("a", {"f": "webp", "ov": "image:m.png,at:northwest,x:0,y:0,width:50"})
    files = {"overlays/m.png": draw_mark(colour=(0, 255, 0))}
    made = pyvips.Image.new_from_buffer(render(plan, source, limits=Limits(), overlays=files).body, "", n=-1)
    assert made.height == 120
    assert all(made(5, 5 + 40 * frame)[1] > 200 for frame in range(3))


@pytest.mark.parametrize(("files", "message"), [({}, "there is no image"), ({"overlays/m.png": b"no"}, "not a usable")])
def test_an_image_that_cannot_be_used_is_a_bad_option(files: dict[str, bytes], message: str) -> None:
    with pytest.raises(BadOption, match=message) as refusal:
        draw("image:m.png", files=files)
    assert refusal.value.option == "ov"
