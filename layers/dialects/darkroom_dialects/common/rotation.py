"""Convert flips before a rotation, as in other services, to a rotation before flips, as in a Plan."""

from __future__ import annotations

from darkroom.plan.option_types import Value


def flip_then_rotate(flip: str, degrees: int) -> dict[str, Value]:
    """Return the options for ``flip`` ("", "h", "v" or "hv") and then a rotation by ``degrees`` clockwise.

    Ours rotate first, with one flip in the other direction.
    """
    return {"flip": flip or "none", "rot": (-degrees if len(flip) == 1 else degrees) % 360}


def swap_sides(values: dict[str, Value]) -> dict[str, Value]:
    """Swap the sides of a box before a rotation by 90 degrees: ours is that of the rotated image."""
    swapped = {"w": values.get("h"), "h": values.get("w")}
    kept = {short: value for short, value in values.items() if short not in swapped}
    return kept | {short: side for short, side in swapped.items() if side is not None}
