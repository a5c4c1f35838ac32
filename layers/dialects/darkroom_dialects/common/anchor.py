"""Convert gravity after a rotation, as in imgproxy and sharp, to gravity before it, as in a Plan."""

from __future__ import annotations

from dataclasses import dataclass, replace

from darkroom.plan.model import COMPASS_POINTS

_DIRECTIONS = {
    word: (("east" in word) - ("west" in word), ("south" in word) - ("north" in word)) for word in COMPASS_POINTS
}
_WORDS = {direction: word for word, direction in _DIRECTIONS.items()}


@dataclass(frozen=True, slots=True)
class Anchor:
    """A gravity: a compass point, ``attention``, ``face``, or ``fp`` with the focal point ``x`` and ``y``.

    With other words ``x`` and ``y`` are offsets: inwards from the sides that the word names, else right and down.
    """

    word: str = "center"
    x: float = 0.0
    y: float = 0.0

    def before_rotation(self, degrees: int, *, flip_x: bool, flip_y: bool) -> Anchor:
        """Return the anchor in the image before a rotation by ``degrees`` clockwise and then the flips."""
        if self.word in ("attention", "face"):
            return self
        if self.word == "fp":
            x, y = _rotate_back((2 * self.x - 1, 2 * self.y - 1), degrees, flip_x=flip_x, flip_y=flip_y)
            return replace(self, x=round((x + 1) / 2, 6), y=round((y + 1) / 2, 6))
        sides = _DIRECTIONS[self.word]
        shift = _inwards(sides, (self.x, self.y))
        turned = _rotate_back(sides, degrees, flip_x=flip_x, flip_y=flip_y)
        x, y = _inwards(turned, _rotate_back(shift, degrees, flip_x=flip_x, flip_y=flip_y))
        return Anchor(_WORDS[turned], x, y)


def _inwards(sides: tuple[int, int], pair: tuple[float, float]) -> tuple[float, float]:
    """Convert offsets to shifts right and down, or back."""
    return (-pair[0] if sides[0] > 0 else pair[0], -pair[1] if sides[1] > 0 else pair[1])


def _rotate_back[Number: (int, float)](
    pair: tuple[Number, Number], degrees: int, *, flip_x: bool, flip_y: bool
) -> tuple[Number, Number]:
    """Return a direction, y downwards, before a rotation and flips."""
    x, y = (-pair[0] if flip_x else pair[0], -pair[1] if flip_y else pair[1])
    for _ in range(degrees // 90 % 4):
        x, y = y, -x
    return x, y
