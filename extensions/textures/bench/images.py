"""The images of the measurements: photographs, materials, text, transparency and a normal map, 256 × 256 px."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skimage
from PIL import Image, ImageOps

SIDE_PX = 256
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "hubble_deep_field", "ihc", "motorcycle_left", "retina", "rocket")
MATERIALS = ("brick", "grass", "gravel")
_FOLDER = Path(skimage.__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class TextureImage:
    """An image of 8 bits per channel, RGB or RGBA. ``linear``: it has data, not colours."""

    name: str
    kind: str
    image: Image.Image
    linear: bool = False

    @property
    def pixels(self) -> np.ndarray:
        """Return the RGBA pixels."""
        return np.asarray(self.image.convert("RGBA"))

    @property
    def png(self) -> bytes:
        """Return the image as PNG."""
        file = io.BytesIO()
        self.image.save(file, "PNG", compress_level=1)
        return file.getvalue()


def list_images() -> Iterator[TextureImage]:
    """Yield fourteen images of scikit-image, cropped to squares and reduced."""
    for name in PHOTOGRAPHS:
        yield TextureImage(name, "photograph", _open(name).convert("RGB"))
    for name in MATERIALS:
        yield TextureImage(name, "material", _open(name).convert("RGB"))
    yield TextureImage("page", "text", _open("page").convert("RGB"))
    yield TextureImage("logo", "transparent", _open("logo").convert("RGBA"))
    yield TextureImage("normals of gravel", "normal map", make_normal_map(_open("gravel").convert("L")), linear=True)


def make_normal_map(heights: Image.Image) -> Image.Image:
    """Return the normals of a surface with these heights: x, y and z from -1 to 1 as 0 to 255."""
    down, right = np.gradient(np.asarray(heights, np.float64) / 32)
    normals = np.stack([-right, -down, np.ones_like(right)], axis=2)
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    return Image.fromarray(np.rint((normals + 1) * 127.5).astype(np.uint8))


def _open(name: str) -> Image.Image:
    [path] = (found for suffix in ("png", "jpg") if (found := _FOLDER / f"{name}.{suffix}").exists())
    with Image.open(path) as opened:
        return ImageOps.fit(opened if opened.mode != "P" else opened.convert("RGB"), (SIDE_PX, SIDE_PX))
