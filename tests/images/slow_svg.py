"""SVGs that take librsvg much longer than their size suggests."""

from __future__ import annotations

from random import Random

_ROOT = '<svg xmlns="http://www.w3.org/2000/svg" width="{}" height="{}" viewBox="0 0 1000 1000">'


def blurred(count: int, deviation: int, width: int, height: int) -> bytes:
    """A rectangle that is blurred ``count`` times: 0.1 s of CPU each at a megapixel, in one tile of libvips."""
    blurs = f'<feGaussianBlur stdDeviation="{deviation}"/>' * count
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
        f'<filter id="f" x="0" y="0" width="1" height="1">{blurs}</filter>'
        '<rect width="100%" height="100%" filter="url(#f)"/></svg>'
    ).encode()


def marked(vertices: int) -> bytes:
    """A path whose segments have no length, with a marker at each: 13 ns for each pair of vertices."""
    marker = '<marker id="m" orient="auto" markerWidth="1" markerHeight="1"><rect width="1" height="1"/></marker>'
    path = f'<path d="M0 0{"h0v0" * (vertices // 2)}" marker-mid="url(#m)"/>'
    return f"{_ROOT.format(64, 64)}{marker}{path}</svg>".encode()


def dashed(lines: int) -> bytes:
    """Diagonals with round dashes of 0.01 px: 20 take 46 s and 2.3 GB."""
    path = f'<path d="{"M0 0L1000 1000" * lines}" stroke="red" stroke-width="50" stroke-linecap="round"'
    return f'{_ROOT.format(1000, 1000)}{path} stroke-dasharray="0.01"/></svg>'.encode()


def crossed(points: int) -> bytes:
    """A polygon that crosses itself everywhere: 8,000 points take 6 s, twice as many four times as long.

    The estimate does not cover it.
    """
    random = Random(18)
    path = " ".join(f"{random.randint(0, 999)} {random.randint(0, 999)}" for _ in range(points))
    return f'{_ROOT.format(1000, 1000)}<path d="M{path}"/></svg>'.encode()
