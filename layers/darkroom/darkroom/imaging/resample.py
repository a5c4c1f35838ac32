"""Resize and orient images."""

from __future__ import annotations

import pyvips

from ..plan.geometry.layout import Size


def resize_to(image: pyvips.Image, size: Size) -> pyvips.Image:
    """Resize ``image`` to exactly ``size`` px."""
    if (image.width, image.height) == size:
        return image
    across, down = size.width / image.width, size.height / image.height
    if not image.hasalpha():
        return image.resize(across, vscale=down)
    weighted = image.premultiply()
    if image.format == "uchar":
        # Integer resizing is twice as fast; what rounding loses is less than half a step once composited.
        weighted = (weighted + 0.5).cast("uchar")
    return weighted.resize(across, vscale=down).unpremultiply().rint().cast(image.format)


def apply_orientation(image: pyvips.Image, orientation: int) -> pyvips.Image:
    """Return ``image`` upright (EXIF 2.32, tag 0x0112)."""
    angle = {3: "d180", 4: "d180", 5: "d90", 6: "d90", 7: "d270", 8: "d270"}.get(orientation, "d0")
    turned = image.rot(angle)
    return turned.fliphor() if orientation in (2, 4, 5, 7) else turned
