"""Place watermarks and overlays as in thumbor and DIT: from either side, in pixels or in percent of the image."""

from __future__ import annotations

import re

from darkroom.overlays import FILES_BELOW
from darkroom.overlays.language import MAX_PX, Measure, Overlay
from darkroom.plan.model import Length, Watermark, WatermarkLayout

from .settings import DialectSettings
from .validate import bad_option

SCALE_BY_SIZE = 100
"""The scale in ``wm`` if ``wmx`` has the size."""

WHOLE_SIDE: Length = 0.9999
"""100 %: a length of 1 is a pixel."""

_PLACE = re.compile(r"(-?)([0-9]{1,5})(p?)")


def place_watermark(
    name: str, x: str, y: str, *, transparency: int, tiled: bool = False, width: float = 0, height: float = 0
) -> tuple[Watermark, WatermarkLayout] | None:
    """Return the watermark ``name`` at ``x`` and ``y``; None if it is fully transparent.

    ``x`` and ``y`` are ``center``, or px or, with ``p``, percent from the left or the top; negative ones count from the
    right or the bottom. ``transparency`` is in percent; ``width`` and ``height`` are fractions of the image's sides.
    """
    (across, dx), (down, dy) = _parse_offset(x, "west", "east"), _parse_offset(y, "north", "south")
    if transparency >= 100:
        return None
    mark = Watermark(name, (down + across) or "center", 100 - transparency, SCALE_BY_SIZE)
    return mark, WatermarkLayout(dx, dy, tiled, width, height)


def _parse_offset(text: str, near: str, far: str) -> tuple[str, Length]:
    if text == "center":
        return "", 0.0
    match = _PLACE.fullmatch(text)
    if match is None or (match[3] and int(match[2]) > 100):
        raise bad_option("watermark", "position must be px, percent up to 100 followed by p, or center")
    length = float(match[2])
    return far if match[1] else near, min(length / 100, WHOLE_SIDE) if match[3] else length


def find_overlay(settings: DialectSettings, address: str, *, bare_hosts: bool = False) -> Overlay | None:
    """Return the image at ``address`` if its key is below the prefix of overlays. Raises BadKey."""
    key = settings.sources.resolve(address, bare_hosts=bare_hosts)
    return Overlay("image", key.removeprefix(FILES_BELOW)) if key.startswith(FILES_BELOW) else None


def place_overlay(
    overlay: Overlay, x: str, y: str, *, transparency: int = 0, width: float = 0, height: float = 0
) -> Overlay | None:
    """Return ``overlay`` in the place that :func:`place_watermark` gives a watermark; None if it is transparent."""
    placed = place_watermark("", x, y, transparency=transparency, width=width, height=height)
    if placed is None:
        return None
    mark, layout = placed
    placed_overlay = overlay._replace(
        at=mark.position, x=to_measure(layout.dx), y=to_measure(layout.dy), opacity=mark.opacity
    )
    if overlay.kind != "image":
        return placed_overlay
    across, down = (to_measure(min(part, WHOLE_SIDE)) if part else None for part in (width, height))
    return placed_overlay._replace(width=across, height=down, own=not (across or down))


def to_measure(length: Length) -> Measure:
    """Return a length of the plan, px or a fraction, as an overlay's."""
    if -1 < length < 1 and length:
        return Measure(100.0 if length == WHOLE_SIDE else round(length * 100, 2))
    return Measure(float(max(-MAX_PX, min(MAX_PX, round(length)))), is_px=True)
