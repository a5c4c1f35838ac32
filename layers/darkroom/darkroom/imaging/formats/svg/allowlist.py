"""What an SVG may consist of: shapes, text, paint and the filters whose cost is bounded by the image's size.

Not here, and therefore dropped: anything that scripts (``script``, ``on…``), moves (``animate``, ``set``), embeds or
links (``foreignObject``, ``iframe``, ``a`` as a link), describes (``metadata``, ``title``), and the filters that can be
made to run for minutes (``feTurbulence``, ``feMorphology``, ``feConvolveMatrix``) or that fetch (``feImage``).
"""

from __future__ import annotations

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"


def split_names(text: str) -> frozenset[str]:
    """The words of ``text``."""
    return frozenset(text.split())


CHEAP_FILTERS = split_names(
    """
    feBlend feColorMatrix feComponentTransfer feComposite feDropShadow feFlood feFuncA feFuncB feFuncG feFuncR
    feGaussianBlur feMerge feMergeNode feOffset
    """
)

ELEMENTS = CHEAP_FILTERS | split_names(
    """
    a circle clipPath defs ellipse filter g image line linearGradient marker mask path pattern polygon polyline
    radialGradient rect stop style svg switch symbol text textPath tspan use
    """
)

REFERRING = split_names("use textPath linearGradient radialGradient pattern filter")
"""Elements whose ``href`` names another element of the same document."""

GEOMETRY = split_names(
    """
    class clipPathUnits cx cy d dx dy filterUnits fr fx fy gradientTransform gradientUnits height id lengthAdjust
    markerHeight markerUnits markerWidth maskContentUnits maskUnits method offset orient pathLength patternContentUnits
    patternTransform patternUnits points preserveAspectRatio primitiveUnits r refX refY requiredExtensions
    requiredFeatures rotate rx ry spacing spreadMethod startOffset textLength transform viewBox width x x1 x2 y y1 y2
    """
)

PRESENTATION = split_names(
    """
    baseline-shift clip-path clip-rule color color-interpolation color-interpolation-filters direction display
    dominant-baseline enable-background fill fill-opacity fill-rule filter flood-color flood-opacity font font-family
    font-size font-size-adjust font-stretch font-style font-variant font-weight glyph-orientation-vertical
    image-rendering isolation letter-spacing marker marker-end marker-mid marker-start mask mask-type mix-blend-mode
    opacity overflow paint-order shape-rendering stop-color stop-opacity stroke stroke-dasharray stroke-dashoffset
    stroke-linecap stroke-linejoin stroke-miterlimit stroke-opacity stroke-width text-anchor text-decoration
    text-rendering transform-origin unicode-bidi vector-effect visibility word-spacing writing-mode
    """
)

FILTER_NUMBERS = split_names(
    """
    amplitude edgeMode exponent in in2 intercept k1 k2 k3 k4 mode operator result slope stdDeviation tableValues type
    values
    """
)

ATTRIBUTES = GEOMETRY | PRESENTATION | FILTER_NUMBERS
