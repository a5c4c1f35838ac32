"""Generate parts of docs/reference/signatures.md: spellings of values, lists of formats, the number of vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from darkroom.plan.compound_types import CropType, GravityType, PaddingType, RedactionType, WatermarkType
from darkroom.plan.model import (
    ANIMATED_FORMATS,
    DATA_FORMATS,
    IMAGE_FORMATS,
    LOSSLESS_FORMATS,
    REDACTIONS,
    Watermark,
)
from darkroom.plan.option_types import (
    Choice,
    Colour,
    FileName,
    FixedPoint,
    Flag,
    FlagOrWord,
    Integer,
    IntegerChoice,
    OptionType,
    Pattern,
    PluginText,
)
from darkroom.plan.options import NATIVE_OPTIONS
from darkroom.signing import Purpose
from extensions import list_extensions
from tools.generated_blocks import ROOT, Content, table
from tools.signing_vectors import build_document

PAGE = ROOT / "docs" / "reference" / "signatures.md"


def _quote(words: Iterable[object]) -> str:
    return " ".join(f"`{word}`" for word in words)


def _choice(one: Choice) -> str:
    return "; ".join([_quote(one.words), *(f"`{other}` is `{word}`" for other, word in one.synonyms)])


def _watermark(_: WatermarkType) -> str:
    position, opacity, scale = Watermark("")[1:]
    return f"`name-position-opacity-scale`; missing parts are `{position}`, `{opacity}` and `{scale}`"


_SPELLINGS: Mapping[type[OptionType], Callable[[Any], str]] = {
    Integer: lambda one: (
        "a whole number" + (f" or `{one.word}`" if one.word else "; other spellings (`0800`, `+8`, `8.0`) are refused")
    ),
    FixedPoint: lambda _: "at most two decimals, without zeros at the end: `2.50` is `2.5`, `1.0` is `1`",
    Flag: lambda _: "`0` or `1`",
    FlagOrWord: lambda one: f"`0`, `1` or `{one.word}`",
    Choice: _choice,
    IntegerChoice: lambda one: _quote(one.numbers),
    GravityType: lambda one: (
        f"{_quote(one.words)}; `fp-x-y` with numbers as for `blur`; `obj-class` with a class as it is"
    ),
    CropType: lambda _: "`x-y-w-h`, or `pct-x-y-w-h` with numbers as for `blur`",
    PaddingType: lambda _: "four numbers joined by `-`: one value is repeated four times, two are repeated once",
    Colour: lambda _: "lower case; three or four digits are doubled; then `ff` at the end of eight digits is removed",
    WatermarkType: _watermark,
    RedactionType: lambda _: (
        f"{_quote(REDACTIONS)} and classes, each once, sorted and joined by `-`: `all` replaces `faces`, `text` and "
        "`pii`; `faces` and `text` together are `all`; `text` includes `pii`"
    ),
    FileName: lambda _: "encoded as a key, and `_` is `.-5F`",
    PluginText: lambda _: "as `dl`, and `/` is `.-2F`; [one spelling](urls.md#overlays) is valid, which is not changed",
    Pattern: lambda _: "as it is",
}
"""How the value of each type is written. A type of a native option that is not here is an error."""


def _list_spellings() -> str:
    options: dict[str, list[str]] = {}
    for option in NATIVE_OPTIONS:
        options.setdefault(_SPELLINGS[type(option.type)](option.type), []).append(option.short)
    return table(("options", "canonical spelling"), *((_quote(names), text) for text, names in options.items()))


def _join_formats(formats: Iterable[str], word: str) -> str:
    *first, last = (f"`f={name}`" for name in formats)
    return f"{', '.join(first)} {word} {last}"


def count_vectors() -> int:
    """Return the number of test vectors."""
    document: Any = build_document()
    return sum(len(document[name]) for name in ("images", "extensions", "targets", "messages"))


_SIGNED: Mapping[Purpose, tuple[str, str]] = {
    Purpose.IMAGE: ("URLs of images", "the canonical request, or the URL"),
    Purpose.UPLOAD_TOKEN: ("[uploads](../guides/uploads.md#tokens), their states, similar images", "the grant"),
    Purpose.FINDINGS: (
        "findings that a client sends with an upload; Darkroom signs and reads them",
        "key and findings",
    ),
    Purpose.LARGE_COPY: ("names of copies of large images for dialects; Darkroom makes them", "the derivative's name"),
    **{
        Purpose(name): (permits.replace("(guide.md", f"(../../{one.guide}"), text)
        for one in list_extensions()
        for name, (permits, text) in one.purposes.items()
    },
}


def _list_purposes() -> str:
    rows = []
    for purpose, (permits, text) in _SIGNED.items():
        domain = f"`{purpose.domain}`" if purpose.domain else "none: the text begins with `/`"
        key = "the signing key" if purpose.derive_key("k") == b"k" else "derived"
        rows.append((f"`{purpose.name}`", permits, domain, text, key))
    return table(("purpose", "permits", "domain", "text", "key"), *rows)


CONTENT: Content = {
    "purposes": _list_purposes,
    "vectors": lambda: str(count_vectors()),
    "spellings": _list_spellings,
    "data-formats": lambda: _join_formats(DATA_FORMATS, "or"),
    "formats-without-quality": lambda: _join_formats((one for one in IMAGE_FORMATS if one in LOSSLESS_FORMATS), "or"),
    "still-formats": lambda: _join_formats((one for one in IMAGE_FORMATS if one not in ANIMATED_FORMATS), "or"),
}
"""Content of the page's places."""
