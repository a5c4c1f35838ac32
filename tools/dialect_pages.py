"""What the pages of docs/dialects hold: of each URL language the table that its parser goes by, and examples."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "layers" / "darkroom"))

from darkroom.dialects import cloudflare, dit, imgproxy, thumbor  # noqa: E402
from darkroom.dialects.common.mapping import OptionMapping, count_supported  # noqa: E402
from darkroom.dialects.common.settings import DialectSettings, ImgproxySettings  # noqa: E402
from darkroom.dialects.common.sources import Sources  # noqa: E402
from darkroom.dialects.registry import DIALECTS_BY_NAME  # noqa: E402
from darkroom.plan.canonical import canonical_path  # noqa: E402
from darkroom.plan.options import EXTENDED_OPTIONS  # noqa: E402
from tools.generated_blocks import Content, table  # noqa: E402

FOLDER = ROOT / "docs" / "reference" / "dialects"

_SETTINGS = DialectSettings(
    Sources((("//images.example.com/", ""),)),
    {"logo": "watermarks/logo.png"},
    ImgproxySettings(presets={"sharp": "sharpen:0.7"}),
)
"""What the examples are read with: an address that is the bucket's, a watermark and a preset."""


@dataclass(frozen=True)
class DialectPage:
    """One language. ``counts`` says what its groups of options are, ``examples`` are as they follow its prefix."""

    name: str
    title: str
    module: ModuleType
    signed: str
    counts: tuple[tuple[str, str], ...]
    examples: tuple[str, ...]

    @property
    def coverage(self) -> Sequence[OptionMapping[Any]]:
        found: Sequence[OptionMapping[Any]] = self.module.OPTION_MAPPINGS
        return found

    def content(self) -> Content:
        """What fills the places of its page."""
        return {
            "covered": self.covered,
            "refused": self.refused,
            "counts": self.counted,
            "examples": self.spelled,
        }

    def covered(self) -> str:
        rows = (
            (_names(option), _code(option.arguments), _short_names(option.maps_to), _cell(option.note))
            for option in self.coverage
            if option.parse
        )
        return table(("option", "arguments", "becomes", ""), *rows)

    def refused(self) -> str:
        rows = ((_names(option), _cell(option.refused)) for option in self.coverage if not option.parse)
        return table(("option", "refused because"), *rows)

    def counted(self) -> str:
        """How many options are covered, by group; those of which none is have a table of their own."""
        parts = ((self.count(group), label) for group, label in self.counts)
        return ", ".join(f"{covered} of {of} {label}" for (covered, of), label in parts if covered)

    def count(self, group: str) -> tuple[int, int]:
        return count_supported(self.coverage, group)

    def spelled(self) -> str:
        begin = "" if DIALECTS_BY_NAME[self.name].keeps_prefix else DIALECTS_BY_NAME[self.name].prefix
        read: Callable[..., Any] = self.module.parse
        rows = ((f"`{begin}{one}`", f"`{canonical_path(read(one, _SETTINGS).plan)}`") for one in self.examples)
        return table(("URL", "canonical request"), *rows)


def _names(option: OptionMapping[Any]) -> str:
    return " ".join(f"`{name}`" for name in option.names)


def _short_names(text: str) -> str:
    return " ".join(f"`{name}`" for name in text.split(", ")) if text else ""


def _code(text: str) -> str:
    """Code in which nothing looks like a link."""
    return f"`{_cell(text).replace('](', '] (')}`" if text else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


DIALECT_PAGES = (
    DialectPage(
        "imgproxy",
        "imgproxy",
        imgproxy,
        "HMAC-SHA256, several pairs of key and salt",
        (("", "options of the open-source edition"), ("Pro", "of Pro")),
        (
            "/unsafe/rs:fit:800:600/plain/photo.jpg",
            "/unsafe/rs:fill:300:200/g:sm/plain/https://images.example.com/photo.jpg@webp",
            "/unsafe/pr:sharp/w:400/dpr:2/aHR0cHM6Ly9pbWFnZXMuZXhhbXBsZS5jb20vcGhvdG8uanBn.png",
            "/unsafe/c:0.5:0.5:nowe/pd:10:20/bg:f80/wm:0.5:soea:10:10:0.2/plain/photo.jpg@jpg",
        ),
    ),
    DialectPage(
        "thumbor",
        "thumbor",
        thumbor,
        "HMAC-SHA1",
        (("path", "parts of a path"), ("", "filters"), ("plug-in", "of plug-ins")),
        (
            "/unsafe/300x200/smart/photo.jpg",
            "/unsafe/fit-in/300x200/filters:fill(ff8800):quality(80)/images.example.com/photo.jpg",
            "/unsafe/-300x-200/left/top/photo.jpg",
            "/unsafe/10x20:300x200/filters:grayscale():format(webp)/photo.jpg",
        ),
    ),
    DialectPage(
        "dit",
        "AWS Dynamic Image Transformation",
        dit,
        "HMAC-SHA256",
        (
            ("", "edits"),
            ("request", "fields of a request"),
            ("path", "parts of a path"),
            ("filters", "filters"),
            ("query", "query parameters of version 7"),
            ("query 8", "more of version 8"),
        ),
        (
            "/fit-in/300x200/filters:quality(80)/photo.jpg",
            "/300x200/filters:grayscale():format(webp)/photo.jpg",
            "/photo.jpg?width=300&height=200&fit=inside&format=webp",
            "/photo.jpg?resize.width=300&resize.height=200&quality=70&format=jpeg",
            "/eyJrZXkiOiJwaG90by5qcGciLCJlZGl0cyI6eyJyZXNpemUiOnsid2lkdGgiOjMwMH0sInJvdGF0ZSI6OTB9fQ==",
        ),
    ),
    DialectPage(
        "cloudflare",
        "Cloudflare Images",
        cloudflare,
        "none",
        (("", "options of URLs"), ("AI", "of AI"), ("Workers", "of Workers")),
        (
            "/cdn-cgi/image/width=800,format=auto/photo.jpg",
            "/cdn-cgi/image/width=300,height=200,fit=cover,gravity=auto/https://images.example.com/photo.jpg",
            "/cdn-cgi/image/w=400,dpr=2,quality=high,f=webp/photo.jpg",
            "/cdn-cgi/image/trim=10;20;30;40,rotate=90,brightness=1.2/photo.jpg",
        ),
    ),
)


def _index() -> str:
    rows = (
        (
            f"[{dialect.title}]({dialect.name}.md)",
            f"`{DIALECTS_BY_NAME[dialect.name].prefix}/…`",
            dialect.signed,
            dialect.counted(),
        )
        for dialect in DIALECT_PAGES
    )
    return table(("language", "URLs", "signature", "covered"), *rows)


def _extended_options() -> str:
    rows = ((f"`{option.short}`", _cell(option.type.allowed_values), _cell(option.doc)) for option in EXTENDED_OPTIONS)
    return table(("option", "values", "meaning"), *rows)


PAGES: dict[Path, Content] = {
    FOLDER / "README.md": {"languages": _index, "borrowed": _extended_options},
    **{FOLDER / f"{dialect.name}.md": dialect.content() for dialect in DIALECT_PAGES},
}
"""Each page and what fills its places."""
