"""Build packages/page-images.json: expected ``<img>`` and ``<picture>`` of packages that make pages, in any language.

``make docs`` computes the attributes of the file again, by the plans and the geometry of what the server renders. A new
case needs ``name``, ``image``, ``asked`` and ``access``: arguments of ``darkroom_url.page_images``. Signatures are
literal ones.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from darkroom.plan.geometry.layout import Size, compute_geometry
from darkroom.plan.geometry.resize import shrink_to_fit
from darkroom.plan.native_url import parse_url
from darkroom.plan.options import MAX_SIDE_PX
from darkroom.plan.url_builder import OptionValue, build_target, sign_literal
from darkroom.plan.variants import LADDER_PX, AccessMode, needs_signature
from tools.generated_blocks import ROOT

FILE = ROOT / "packages" / "page-images.json"
USUAL_WIDTH_PX = 1280
"""Longest ``src``."""


@dataclass(frozen=True)
class _Case:
    """One case: its image, what is asked, and the access of the deployment."""

    base: str
    key: str
    given: Mapping[str, Any]

    def build(self) -> dict[str, object]:
        """Return the case with what is expected."""
        asked = self.given["asked"]
        ratio, formats = asked.get("ratio"), asked.get("formats", [])
        directed = [
            {"media": cut["media"], **self._describe_source(cut["ratio"], one), **self._measure(cut["ratio"])}
            for cut in asked.get("directed", [])
            for one in [*formats[:-1], ""]
        ]
        offered = [self._describe_source(ratio, one) for one in formats[:-1]]
        return {**self.given, "sources": directed + offered, "img": self._describe_img()}

    def _describe_img(self) -> dict[str, str]:
        asked = self.given["asked"]
        ratio = asked.get("ratio")
        urls = list(self._list_urls(ratio, ""))
        return {
            "src": [url for url, width, _ in urls if width <= USUAL_WIDTH_PX][-1],
            "srcset": _join(urls),
            "sizes": asked["sizes"],
            "alt": asked["alt"],
            **self._measure(ratio),
            "loading": asked.get("loading", "lazy"),
            "decoding": "async",
        }

    def _describe_source(self, ratio: str | None, format_: str) -> dict[str, str]:
        srcset = {"srcset": _join(self._list_urls(ratio, format_)), "sizes": self.given["asked"]["sizes"]}
        return {"type": f"image/{format_}", **srcset} if format_ else srcset

    def _measure(self, ratio: str | None) -> dict[str, str]:
        width, height = self._crop(ratio)
        return {"width": str(width), "height": str(height)}

    def _crop(self, ratio: str | None) -> Size:
        """Return the size of the image, or of its largest part of the aspect ratio ``ratio``."""
        size = Size(self.given["image"]["width"], self.given["image"]["height"])
        if ratio is None:
            return size
        across, down = map(int, ratio.split(":"))
        limit = Size(min(size.width, MAX_SIDE_PX), min(size.height, MAX_SIDE_PX))
        return shrink_to_fit(Size(across * max(limit), down * max(limit)), limit)

    def _list_urls(self, ratio: str | None, format_: str) -> Iterator[tuple[str, int, int]]:
        """Yield URL, requested width, and width of the result in px."""
        whole = self._crop(ratio)
        for step in (step for below, step in pairwise((0, *LADDER_PX)) if below < whole.width):
            options: dict[str, OptionValue] = {"w": step, "dpr": 1}
            if ratio is not None:
                across, down = map(int, ratio.split(":"))
                width = min(step, whole.width)
                height = shrink_to_fit(
                    Size(across * whole.height, down * whole.height), Size(width, MAX_SIDE_PX)
                ).height
                options = {"w": width, "h": height, "dpr": 1, "fit": "cover", "g": self._place_crop()}
            further = {**self.given["asked"].get("options", {}), **self._choose_format(format_)}
            yield self._sign({**options, **dict(sorted(further.items()))})

    def _choose_format(self, format_: str) -> dict[str, str]:
        formats = self.given["asked"].get("formats", [])
        return {"f": format_ or formats[-1]} if formats else {}

    def _place_crop(self) -> str:
        if (focus := self.given["image"]["focus"]) is None:
            return "attention"
        return f"fp:{focus[0]:g}:{focus[1]:g}"

    def _sign(self, options: Mapping[str, OptionValue]) -> tuple[str, int, int]:
        access = self.given["access"]
        target = build_target(self.given["image"]["key"], options)
        plan = parse_url(target).plan
        result = compute_geometry(plan, Size(self.given["image"]["width"], self.given["image"]["height"]))
        if needs_signature(plan, AccessMode(access["mode"])):
            target = sign_literal(target, self.key, access["expires"])
        return self.base + target, int(options["w"]), result.size.width


def build_document() -> dict[str, object]:
    """Build the content of the file from the cases in it."""
    found = json.loads(FILE.read_text(encoding="utf-8"))
    fields = ("name", "image", "asked", "access")
    cases = (_Case(found["base"], found["key"], {name: one[name] for name in fields}) for one in found["cases"])
    return {**found, "cases": [case.build() for case in cases]}


def written() -> str:
    """Return the text of the file."""
    return json.dumps(build_document(), indent=1, ensure_ascii=False) + "\n"


def _join(urls: Iterator[tuple[str, int, int]] | list[tuple[str, int, int]]) -> str:
    return ", ".join(f"{url} {width}w" for url, _, width in urls)
