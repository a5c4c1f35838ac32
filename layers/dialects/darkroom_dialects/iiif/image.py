"""Resolve a request for an image of known size, and build its Plan.

Order of operations: region, size, mirroring, rotation, quality, format (section 4.6).
"""

from __future__ import annotations

from dataclasses import dataclass

from darkroom.errors import BadOption
from darkroom.plan.canonical import build_plan
from darkroom.plan.geometry.layout import compute_geometry
from darkroom.plan.geometry.placement import Box, Size
from darkroom.plan.model import Crop, Plan
from darkroom.plan.option_types import Value

from .spec import BITONAL_THRESHOLD, FORMATS, V3, SizeLimits, Version, divide_half_up, fit_within
from .url import ImageRequest, Region, Rotation, Scale

MAX_CROP_PX = 65_535
"""The largest coordinate of a region in a canonical path."""

_OF_QUALITY: dict[str, dict[str, Value]] = {"gray": {"gray": True}, "bitonal": {"thr": BITONAL_THRESHOLD}}


@dataclass(frozen=True, slots=True)
class ResolvedImage:
    """A resolved request: ``region`` of the ``upright`` source scaled to ``size``, then mirrored and rotated."""

    key: str
    upright: Size
    region: Box
    size: Size
    rotation: Rotation
    quality: str
    format: str

    @property
    def is_whole(self) -> bool:
        """Return whether the region is the whole source."""
        return self.region == Box(0, 0, *self.upright)

    @property
    def is_enlarged(self) -> bool:
        return self.size.width > self.region.width or self.size.height > self.region.height

    def canonical_parameters(self, caps: SizeLimits, version: Version = V3) -> tuple[str, str, str, str, str]:
        """Return the canonical region, size, rotation, quality and format: section 4.8, in version 2.1 4.7."""
        region = "full" if self.is_whole else ",".join(map(str, self.region))
        turned = f"{self.rotation.degrees:.2f}".rstrip("0").rstrip(".")
        quality = "default" if self.quality == "color" else self.quality
        size = self._canonical_size_v2() if version.upscales_silently else self._canonical_size(caps)
        return region, size, "!" * self.rotation.mirrored + turned, quality, self.format

    def canonical_path(self, caps: SizeLimits, version: Version = V3) -> str:
        """Return the canonical path after the identifier."""
        region, size, rotation, quality, output = self.canonical_parameters(caps, version)
        return f"{region}/{size}/{rotation}/{quality}.{output}"

    def _canonical_size(self, caps: SizeLimits) -> str:
        if self.size == max_size(self.region.size, caps):
            return "max"
        if self.size == caps.shrink(self.region.size):
            return "^max"
        return "^" * self.is_enlarged + f"{self.size.width},{self.size.height}"

    def _canonical_size_v2(self) -> str:
        if self.size == self.region.size:
            return "full"
        proportional = self.size == scale_to_width(self.region.size, self.size.width)
        return f"{self.size.width}," + ("" if proportional else str(self.size.height))

    def build_plan(self) -> Plan:
        """Build the Plan: the first frame of an animation."""
        turned = self.rotation.degrees in (90, 270)
        values: dict[str, Value] = {
            **self._crop_values(),
            **self._box_values(turned=turned),
            **_OF_QUALITY.get(self.quality, {}),
            "angle": self.rotation.degrees,
            "anim": False,
            "f": FORMATS[self.format],
        }
        return build_plan(self.key, values | ({"flip": "h"} if self.rotation.mirrored else {}))

    def _crop_values(self) -> dict[str, Value]:
        return {} if self.is_whole else {"crop": Crop("px", *self.region)}

    def _box_values(self, *, turned: bool) -> dict[str, Value]:
        """Return the shortest box with exactly this size, so that native URLs share the derivative.

        Our box refers to the rotated image, IIIF's to the one before: ``turned`` by a right angle swaps the sides.
        """
        width, height = self.size
        one, other = ("h", "w") if turned else ("w", "h")
        if self._gives({}):
            return {}
        if self._gives({"w": width}):
            return {one: width}
        return {one: width, other: height, "fit": "fill", "up": self.is_enlarged}

    def _gives(self, box: dict[str, Value]) -> bool:
        """Return whether ``box`` gives the size without rotation."""
        plan = build_plan(self.key, {**self._crop_values(), **box, "f": FORMATS[self.format]})
        return compute_geometry(plan, self.upright).scaled == self.size


def resolve_image(parsed: ImageRequest, upright: Size, caps: SizeLimits) -> ResolvedImage:
    """Resolve ``parsed`` for an image of ``upright`` size in px. Raises BadOption."""
    region = resolve_region(parsed.region, upright)
    size = resolve_size(parsed.size, region.size, caps)
    return ResolvedImage(parsed.key, upright, region, size, parsed.rotation, parsed.quality, parsed.format)


def resolve_region(region: Region, upright: Size) -> Box:
    """Return the region in px, clipped to the image. Raises BadOption if it is empty."""
    width, height = upright
    if region.unit == "full":
        return Box(0, 0, width, height)
    if region.unit == "square":
        side = min(upright)
        return _check_region(Box((width - side) // 2, (height - side) // 2, side, side), upright)
    sides = (width, height, width, height)
    numbers = (region.x, region.y, region.width, region.height)
    if region.unit == "pct":
        numbers = tuple(_percent(number, side) for number, side in zip(numbers, sides, strict=True))  # type: ignore[assignment]
    left, top, wide, high = (int(number) for number in numbers)
    return _check_region(Box(left, top, min(wide, width - left), min(high, height - top)), upright)


def _check_region(box: Box, upright: Size) -> Box:
    if box.width < 1 or box.height < 1:
        raise BadOption(
            f"region holds nothing of the image, which is {upright.width} × {upright.height} px", option="region"
        )
    if box != Box(0, 0, *upright) and max(box) > MAX_CROP_PX:
        raise BadOption(f"region must be within the first {MAX_CROP_PX} px of each side", option="region")
    return box


def resolve_size(scale: Scale, region: Size, caps: SizeLimits) -> Size:
    """Return the size in px of a scaled ``region``. Raises BadOption if it is enlarged without ^, or too large."""
    if scale.form == "max":
        return caps.shrink(region) if scale.up else max_size(region, caps)
    size = _scale(scale, region)
    if min(size) < 1:
        raise BadOption("size must be at least 1 px on each side", option="size")
    if not scale.up and (size.width > region.width or size.height > region.height):
        if scale.confined and not caps.rejects_oversized_box:
            return max_size(region, caps)
        raise BadOption(
            f"size must be at most that of the region, {region.width} × {region.height} px, "
            f"but is {size.width} × {size.height}; after ^ it may be larger",
            option="size",
        )
    if scale.confined:
        return size if caps.allow(size) else caps.shrink(size)
    if not caps.allow(size):
        raise BadOption(
            f"size must be at most {caps.max_side_px} px a side and {caps.max_area_px:,} px in all, "
            f"but is {size.width} × {size.height}",
            option="size",
        )
    return size


def max_size(region: Size, caps: SizeLimits) -> Size:
    """Return the size of ``max``: the region's own if that is within the limits."""
    return region if caps.allow(region) else caps.shrink(region)


def scale_to_width(region: Size, width: int) -> Size:
    """Return the size of ``w,``: ``width`` with the ratio of ``region``."""
    return Size(width, max(1, divide_half_up(region.height * width, region.width)))


def _scale(scale: Scale, region: Size) -> Size:
    """Return the requested size without limits."""
    width, height = scale.width, scale.height
    if scale.form == "pct":
        return Size(*(_percent(scale.percent, side) for side in region))
    if width is None and height is not None:
        return Size(max(1, divide_half_up(region.width * height, region.height)) if height else 0, height)
    if height is None and width is not None:
        return scale_to_width(region, width) if width else Size(0, 0)
    assert width is not None
    assert height is not None
    box = Size(width, height)
    return fit_within(region, box) if scale.confined and min(box) else box


def _percent(percent: float, side: int) -> int:
    """Return a percentage of a side, rounded half up. Digits beyond the ninth decimal are binary rounding errors."""
    return int(round(percent * side / 100, 9) + 0.5)
