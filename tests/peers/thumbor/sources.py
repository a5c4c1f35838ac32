"""Source images of both services, by name."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from tests.images.photographs import photograph, turned

WIDE, TALL, SMALL, ALPHA, BORDERED, GREY, MOVING, TURNED = (
    "wide.jpg",
    "tall.jpg",
    "small.png",
    "alpha.png",
    "bordered.png",
    "grey.jpg",
    "moving.gif",
    "turned.jpg",
)
MARK, SECOND_MARK, FRAME = "mark.png", "second.png", "frame.png"


def files() -> dict[str, bytes]:
    """Each source by its name."""
    photo = photograph()
    return {
        WIDE: _saved(photo.resize((640, 427)), "JPEG", quality=95),
        TALL: _saved(photo.resize((333, 500)), "JPEG", quality=95),
        SMALL: _saved(photo.resize((90, 61)), "PNG"),
        ALPHA: _saved(_translucent(photo.resize((301, 200))), "PNG"),
        BORDERED: _saved(_bordered(photo.resize((200, 150))), "PNG"),
        GREY: _saved(photo.resize((301, 200)).convert("L"), "JPEG", quality=95),
        MOVING: _saved(photo.resize((120, 90)).quantize(64), "GIF", save_all=True, append_images=_frames(photo)),
        TURNED: turned(photo.resize((300, 200)), 6),
        FRAME: _saved(_nine_patch(), "PNG"),
        MARK: _saved(_disc((60, 40), (200, 30, 30)), "PNG"),
        SECOND_MARK: _saved(_disc((31, 47), (30, 60, 200)), "PNG"),
    }


def _saved(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def _translucent(image: Image.Image) -> Image.Image:
    """``image``, transparent on the left and opaque on the right."""
    ramp = np.tile(np.linspace(0, 255, image.width).astype(np.uint8), (image.height, 1))
    image.putalpha(Image.fromarray(ramp))
    return image


def _bordered(image: Image.Image) -> Image.Image:
    """``image`` on a plain ground, with 30 px on the left, 40 above, 50 on the right and 20 below."""
    ground = Image.new("RGB", (image.width + 80, image.height + 60), (250, 248, 246))
    ground.paste(image, (30, 40))
    return ground


def _nine_patch() -> Image.Image:
    """A frame 12 px wide, whose middle is stretched and stays transparent."""
    image = Image.new("RGBA", (42, 42))
    image.paste((20, 90, 40, 255), (1, 1, 41, 41))
    image.paste((0, 0, 0, 0), (13, 13, 29, 29))
    for at in range(13, 29):
        for mark in ((at, 0), (0, at), (at, 41), (41, at)):
            image.putpixel(mark, (0, 0, 0, 255))
    return image


def _frames(photo: Image.Image) -> list[Image.Image]:
    return [photo.rotate(turn).resize((120, 90)).quantize(64) for turn in (30, 60)]


def _disc(size: tuple[int, int], colour: tuple[int, int, int]) -> Image.Image:
    """An ellipse that fills ``size``, transparent around it."""
    across, down = np.meshgrid(np.linspace(-1, 1, size[0]), np.linspace(-1, 1, size[1]))
    image = Image.new("RGB", size, colour)
    image.putalpha(Image.fromarray(((across**2 + down**2 <= 1) * 255).astype(np.uint8)))
    return image
