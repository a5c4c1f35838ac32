"""SVGs whose drawing takes a known multiple of the time of a rectangle."""

from __future__ import annotations


def blurred(count: int, deviation: int, width: int, height: int) -> bytes:
    """A rectangle that is blurred ``count`` times: 0.1 s of CPU each at a megapixel, in one tile of libvips."""
    blurs = f'<feGaussianBlur stdDeviation="{deviation}"/>' * count
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
        f'<filter id="f" x="0" y="0" width="1" height="1">{blurs}</filter>'
        '<rect width="100%" height="100%" filter="url(#f)"/></svg>'
    ).encode()
