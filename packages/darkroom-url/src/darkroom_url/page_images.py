"""``<img>`` and ``<picture>`` of Darkroom images, with ``srcset``, ``sizes``, width and height.

Nothing is requested: the page states the size of the image. ``packages/page-images.json`` has the expected results,
also for packages in other languages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from math import floor
from typing import Any, Literal, NamedTuple

from . import WIDTHS, OptionValue, UrlError, _load_presets, build_url, sign_literal
from ._darkroom.errors import DarkroomError
from ._darkroom.plan.geometry.resize import scale_side
from ._darkroom.plan.native_url import parse_url
from ._darkroom.plan.options import MAX_SIDE_PX, OPTIONS_BY_NAME
from ._darkroom.plan.variants import AccessMode, needs_signature

__all__ = [
    "Directed",
    "PageImage",
    "Site",
    "build_page_url",
    "describe_img",
    "describe_picture",
    "render_img",
    "render_picture",
]

USUAL_WIDTH_PX = 1280
"""Longest ``src``: what a client without ``srcset`` loads."""

_COMPUTED = frozenset({"w", "h", "dpr", "fit", "crop", "rot", "trim", "pad", "up", "preset", "exp", "s"})
"""Options that decide the size of the result, or belong to the signature."""

_RATIO = re.compile(r"([1-9]\d{0,3}):([1-9]\d{0,3})")
_ATTRIBUTE = re.compile(r"[a-z][a-z0-9-]*")


@dataclass(frozen=True)
class PageImage:
    """An image as a page knows it.

    ``key`` is not percent-encoded. ``width`` and ``height`` are those of the upright image in px. ``focus`` is the
    point that a crop keeps, as fractions from the left and the top; without it, crops keep the most salient part.
    """

    key: str
    width: int
    height: int
    focus: tuple[float, float] | None = None


@dataclass(frozen=True)
class Site:
    """Where images are served.

    ``base`` is the address of the CDN. ``access_mode`` is the deployment's: in ``guarded`` only those URLs are signed
    that need a signature, in ``signed`` all. Signed URLs are valid until ``expires_at`` (an aware datetime, or Unix
    time) if that is given.
    """

    base: str = ""
    signing_key: str | None = None
    access_mode: Literal["guarded", "open", "signed"] = "guarded"
    expires_at: datetime | int | None = None


@dataclass(frozen=True)
class Directed:
    """Another aspect ratio where the media query matches, such as ``(max-width: 30rem)`` and ``1:1``."""

    media: str
    ratio: str


class _Step(NamedTuple):
    """Options of one URL of a ``srcset``, and the width of its result in px."""

    options: Mapping[str, OptionValue]
    width: int


def build_page_url(key: str, site: Site, options: Mapping[str, OptionValue]) -> str:
    """Build the URL of the image ``key``, signed where ``site`` requires it.

    Raises UrlError, with the code ``unsigned`` where a signature is required and ``site`` has no key.
    """
    url = build_url(key, base=site.base, **options)
    target = url[len(site.base.removesuffix("/")) :]
    try:
        plan = parse_url(target, _load_presets()).plan
        is_needed = needs_signature(plan, AccessMode(site.access_mode), _load_presets)
    except DarkroomError:  # a preset of the deployment's own, whose options only the server knows
        is_needed = site.access_mode == "signed"
    if not is_needed:
        return url
    if site.signing_key is None:
        raise UrlError("This URL needs a signature: give a signing_key", "unsigned")
    return url[: len(url) - len(target)] + sign_literal(target, site.signing_key, expires_at=site.expires_at)


def describe_img(
    image: PageImage,
    site: Site,
    *,
    alt: str,
    sizes: str = "100vw",
    ratio: str | None = None,
    loading: Literal["lazy", "eager"] = "lazy",
    options: Mapping[str, OptionValue] | None = None,
) -> dict[str, str]:
    """Return the attributes of an ``<img>``.

    ``ratio``, such as ``16:9``, crops the image; that needs a signature. ``options`` are those of
    docs/reference/urls.md that do not change the size. Raises UrlError.
    """
    steps = _list_steps(image, ratio, options or {})
    width, height = _find_size(image, ratio)
    usual = [one for one in steps if int(one.options["w"]) <= USUAL_WIDTH_PX][-1]
    return {
        "src": build_page_url(image.key, site, usual.options),
        "srcset": _join_srcset(image, site, steps),
        "sizes": sizes,
        "alt": alt,
        "width": str(width),
        "height": str(height),
        "loading": loading,
        "decoding": "async",
    }


def describe_picture(
    image: PageImage,
    site: Site,
    *,
    formats: Sequence[str] = (),
    directed: Iterable[Directed] = (),
    **shown: Any,
) -> tuple[list[dict[str, str]], dict[str, str]]:
    """Return the attributes of each ``<source>``, and those of the ``<img>``, of a ``<picture>``.

    ``formats`` go from the best to one that every browser supports, such as ``avif``, ``webp``, ``jpeg``; without them
    each URL serves the best format that the browser accepts. ``shown`` are arguments of :func:`describe_img`. Raises
    UrlError.
    """
    options = dict(shown.pop("options", None) or {})
    sizes, last = shown.get("sizes", "100vw"), {"f": formats[-1]} if formats else {}
    sources = []
    for cut in directed:
        width, height = _find_size(image, cut.ratio)
        for format_ in (*formats[:-1], None):
            chosen = {**options, **({"f": format_} if format_ else last)}
            described = {
                "media": cut.media,
                "type": f"image/{format_}" if format_ else "",
                "srcset": _join_srcset(image, site, _list_steps(image, cut.ratio, chosen)),
                "sizes": sizes,
                "width": str(width),
                "height": str(height),
            }
            sources.append({name: value for name, value in described.items() if value})
    for format_ in formats[:-1]:
        steps = _list_steps(image, shown.get("ratio"), {**options, "f": format_})
        sources.append({"type": f"image/{format_}", "srcset": _join_srcset(image, site, steps), "sizes": sizes})
    return sources, describe_img(image, site, options={**options, **last}, **shown)


def render_img(image: PageImage, site: Site, *, attributes: Mapping[str, str] | None = None, **shown: Any) -> str:
    """Return an ``<img>`` as HTML.

    ``attributes`` are further ones, such as ``class``, and replace others. ``shown`` are arguments of
    :func:`describe_img`. Raises UrlError, and ValueError for the name of an attribute.
    """
    return _render("img", {**describe_img(image, site, **shown), **(attributes or {})})


def render_picture(image: PageImage, site: Site, *, attributes: Mapping[str, str] | None = None, **shown: Any) -> str:
    """Return a ``<picture>`` as HTML.

    ``attributes`` are further ones of its ``<img>``. ``shown`` are arguments of :func:`describe_picture`. Raises
    UrlError, and ValueError for the name of an attribute.
    """
    sources, img = describe_picture(image, site, **shown)
    inside = "".join(_render("source", source) for source in sources)
    return f"<picture>{inside}{_render('img', {**img, **(attributes or {})})}</picture>"


def _list_steps(image: PageImage, ratio: str | None, options: Mapping[str, OptionValue]) -> list[_Step]:
    """Return the widths of a ``srcset``: the ladder below that of the image, and then all of the image.

    ``dpr=1``: ``srcset`` accounts for the screen, and a client hint must not multiply the width again.
    """
    known = {name: option.short for name, option in OPTIONS_BY_NAME.items()}
    short = {known.get(name, name): options[name] for name in sorted(options)}
    if computed := _COMPUTED & short.keys():
        raise UrlError(f"The size of the image decides {', '.join(sorted(computed))}", "bad-option")
    whole = _find_size(image, ratio)[0]
    offered = [step for below, step in zip((0, *WIDTHS), WIDTHS) if below < whole]
    if ratio is None:
        return [_Step({"w": step, "dpr": 1, **short}, min(step, whole)) for step in offered]
    widths = [min(step, whole) for step in offered]
    gravity = {"g": short.pop("g", None) or _name_gravity(image)}
    across, down = _parse_ratio(ratio)
    boxes = ({"w": width, "h": scale_side(width, down, across)} for width in widths)
    return [_Step({**box, "dpr": 1, "fit": "cover", **gravity, **short}, box["w"]) for box in boxes]


def _find_size(image: PageImage, ratio: str | None) -> tuple[int, int]:
    """Return the size of the image, or of its largest part with the aspect ratio, in px."""
    if ratio is None:
        return image.width, image.height
    across, down = _parse_ratio(ratio)
    width, height = min(image.width, MAX_SIDE_PX), min(image.height, MAX_SIDE_PX)
    if width * down <= height * across:
        return width, min(height, scale_side(width, down, across))
    return min(width, scale_side(height, across, down)), height


def _parse_ratio(ratio: str) -> tuple[int, int]:
    if (found := _RATIO.fullmatch(ratio)) is None:
        raise UrlError(f"An aspect ratio is two whole numbers, such as 16:9, not {ratio!r}", "bad-option")
    return int(found[1]), int(found[2])


def _name_gravity(image: PageImage) -> str:
    if image.focus is None:
        return "attention"
    return "fp:" + ":".join(f"{floor(min(max(part, 0), 1) * 100 + 0.5) / 100:g}" for part in image.focus)


def _join_srcset(image: PageImage, site: Site, steps: Iterable[_Step]) -> str:
    return ", ".join(f"{build_page_url(image.key, site, one.options)} {one.width}w" for one in steps)


def _render(name: str, attributes: Mapping[str, str]) -> str:
    if wrong := [one for one in attributes if not _ATTRIBUTE.fullmatch(one)]:
        raise ValueError(f"This is no name of an attribute: {wrong[0]!r}")
    return f"<{name}{''.join(f' {one}={chr(34)}{escape(value)}{chr(34)}' for one, value in attributes.items())}>"
