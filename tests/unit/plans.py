"""Random option values and Plans, made from the option table."""

from __future__ import annotations

from functools import singledispatch
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from darkroom.overlays.language import IMAGE, TEXT, Overlay, format_overlays
from darkroom.plan.canonical import build_plan
from darkroom.plan.compound_types import (
    CropType,
    GravityType,
    PaddingType,
    RedactionType,
    WatermarkType,
    join_redactions,
)
from darkroom.plan.model import AUTO_CLASSES, REDACTIONS, Crop, Gravity, Padding, Plan, Watermark
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
    PluginText,
    Value,
    split_parts,
)
from darkroom.plan.options import NATIVE_OPTIONS

type Strategy = st.SearchStrategy[Any]


OBJECT_CLASSES = st.from_regex(r"[a-z0-9]{1,12}", fullmatch=True)


def hundredths(low: float, high: float, step: float = 0.01) -> Strategy:
    """Numbers from ``low`` to ``high`` in steps of ``step``."""
    return st.integers(round(low / step), round(high / step)).map(lambda steps: round(steps * step * 100) / 100)


@singledispatch
def values_of(kind: OptionType) -> Strategy:
    """Every value of ``kind``."""
    raise TypeError(kind)


@values_of.register
def _(kind: Integer) -> Strategy:
    numbers = st.integers(kind.low, kind.high)
    return numbers | st.just(kind.word) if kind.word else numbers


@values_of.register
def _(kind: FixedPoint) -> Strategy:
    return hundredths(kind.low, kind.high, kind.step)


@values_of.register
def _(kind: Flag) -> Strategy:
    return st.booleans()


@values_of.register
def _(kind: FlagOrWord) -> Strategy:
    return st.sampled_from([False, True, kind.word])


@values_of.register
def _(kind: Choice) -> Strategy:
    return st.sampled_from(kind.words)


@values_of.register
def _(kind: IntegerChoice) -> Strategy:
    return st.sampled_from(kind.numbers)


@values_of.register
def _(kind: Colour) -> Strategy:
    digits = st.text("0123456789abcdef", min_size=6, max_size=6)
    return digits | st.tuples(digits, st.integers(0, 254)).map(lambda made: f"{made[0]}{made[1]:02x}")


@values_of.register
def _(kind: GravityType) -> Strategy:
    places = st.sampled_from(kind.words).map(Gravity)
    points = st.tuples(hundredths(0, 1), hundredths(0, 1)).map(lambda point: Gravity("fp", *point))
    return places | points | OBJECT_CLASSES.map(lambda label: Gravity("obj", label=label))


@values_of.register
def _(kind: RedactionType) -> Strategy:
    return st.lists(st.sampled_from(REDACTIONS) | OBJECT_CLASSES, min_size=1, max_size=4).map(join_redactions)


@values_of.register
def _(kind: CropType) -> Strategy:
    starts, lengths = st.integers(0, kind.high), st.integers(1, kind.high)
    spans = st.tuples(st.integers(0, 9_999), st.integers(1, 10_000)).filter(lambda span: sum(span) <= 10_000)
    percents = st.tuples(spans, spans).map(
        lambda made: Crop("pct", made[0][0] / 100, made[1][0] / 100, made[0][1] / 100, made[1][1] / 100)
    )
    return percents | st.builds(Crop, st.just("px"), starts, starts, lengths, lengths)


@values_of.register
def _(kind: PaddingType) -> Strategy:
    return st.builds(Padding, *[st.integers(0, kind.high)] * 4)


@values_of.register
def _(kind: WatermarkType) -> Strategy:
    names = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=32)
    percents = st.integers(1, 100)
    return st.builds(Watermark, names, st.sampled_from(kind.positions), percents, percents)


@values_of.register
def _(kind: FileName) -> Strategy:
    letters = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='/\\"')
    return st.text(letters, min_size=1, max_size=kind.high).filter(lambda name: len(name.encode()) <= kind.high)


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(str.strip)
FILES = st.from_regex("[a-z0-9]{1,8}(/[a-z0-9-]{1,8})?[.]png", fullmatch=True)
OVERLAYS = st.lists(
    TEXTS.map(lambda text: Overlay(TEXT, text))
    | st.tuples(FILES, st.integers(1, 100)).map(lambda made: Overlay(IMAGE, made[0], opacity=made[1])),
    min_size=1,
    max_size=2,
).map(format_overlays)


@values_of.register
def _(_: PluginText) -> Strategy:
    return OVERLAYS


PLANNED = tuple(option for option in NATIVE_OPTIONS if option.plan_field)
KEYS = st.lists(
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/"), min_size=1, max_size=20).filter(
        lambda segment: segment not in (".", "..", "_")
    ),
    min_size=1,
    max_size=4,
).map("/".join)

GENERATIONS = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=8)


@st.composite
def option_values(draw: st.DrawFn, most: int = 8) -> dict[str, Value]:
    """Values of some options, by short name."""
    chosen = draw(st.lists(st.sampled_from(PLANNED), max_size=most, unique_by=lambda option: option.short))
    values: dict[str, Value] = {option.short: draw(values_of(option.type)) for option in chosen}
    if draw(st.booleans()):
        values["dpr"] = draw(st.sampled_from([1, 1.5, 2, 2.5, 3, 3.5, 4]))
    if {"redact", "boxes", "cutout"} & values.keys():
        values.pop("page", None)  # refused together
    return values


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A Plan as a canonical path can name it, negotiated or not."""
    values = draw(option_values())
    if draw(st.integers(0, 3)) == 0:
        values["f"] = draw(st.sampled_from(AUTO_CLASSES))
    if draw(st.booleans()):
        values["fv"] = draw(GENERATIONS)
    if draw(st.integers(0, 3)) == 0:
        values["cr"] = True
    return build_plan(draw(KEYS), values)


def url_text(short: str, value: Value) -> str:
    """``value`` as a viewer writes it, encoded."""
    kind = next(option.type for option in NATIVE_OPTIONS if option.short == short)
    if isinstance(kind, FileName):
        return quote(str(value), safe="")
    return ",".join(split_parts(kind.format(value)))
