"""Random values of extended options, and Plans of them, made from the option tables."""

from __future__ import annotations

from hypothesis import strategies as st

from darkroom.plan.canonical import build_plan
from darkroom.plan.compound_types import (
    ConvolutionType,
    CurvesType,
    ExtensionType,
    NumberTuple,
    PartsType,
    TrimOptionsType,
)
from darkroom.plan.model import (
    EXTENDED_FORMATS,
    Convolution,
    Extension,
    Plan,
    TrimOptions,
)
from darkroom.plan.option_types import ChoiceList, Decimal, Value
from darkroom.plan.options import EXTENDED_OPTIONS

from .plans import KEYS, Strategy, option_values, values_of


def decimals(low: float, high: float) -> Strategy:
    """Numbers with at most four decimals."""
    return st.integers(round(low * 10_000), round(high * 10_000)).map(lambda steps: steps / 10_000)


LENGTHS = decimals(-1, 1) | st.integers(-65_535, 65_535).map(float)
PARTS = decimals(0, 1)
MAX_FRACTIONAL = 1_000
COLOURS = st.text("0123456789abcdef", min_size=6, max_size=6)


@values_of.register
def _(kind: NumberTuple) -> Strategy:
    one = st.integers(round(kind.low), round(kind.high)) if kind.integral else decimals(kind.low, kind.high)
    counts = st.integers(1, kind.max_repeats).map(lambda times: times * kind.count)
    return counts.flatmap(lambda count: st.tuples(*[one] * count)).map(lambda values: kind.constructor(*values))


@values_of.register
def _(kind: PartsType) -> Strategy:
    return st.tuples(*map(values_of, kind.parts)).map(lambda values: kind.constructor(*values))


@values_of.register
def _(kind: Decimal) -> Strategy:
    if kind.high > MAX_FRACTIONAL:  # a length, which is mostly a fraction or whole
        return decimals(max(-1, kind.low), 1) | st.integers(round(kind.low), round(kind.high)).map(float)
    return decimals(kind.low, kind.high)


@values_of.register
def _(kind: ExtensionType) -> Strategy:
    to = st.sampled_from(["box", "ratio"])
    return st.builds(Extension, to, st.sampled_from(kind.positions), LENGTHS, LENGTHS) | st.builds(
        Extension, to, st.just("fp"), PARTS, PARTS
    )


@values_of.register
def _(kind: TrimOptionsType) -> Strategy:
    corners, axes = st.sampled_from(["northwest", "southeast"]), st.sampled_from(["", "h", "v", "hv"])
    return st.builds(TrimOptions, st.just("") | COLOURS, corners, axes, st.just(0.0) | decimals(0.0001, 255))


@values_of.register
def _(kind: ConvolutionType) -> Strategy:
    odd = st.sampled_from([1, 3, 5, 7])
    weights = decimals(-1000, 1000)
    return st.tuples(odd, odd, st.booleans()).flatmap(
        lambda made: st.lists(weights, min_size=made[0] * made[1], max_size=made[0] * made[1]).map(
            lambda row: Convolution(made[0], made[2], tuple(row))
        )
    )


@values_of.register
def _(kind: CurvesType) -> Strategy:
    levels = st.integers(0, 255)
    several = st.dictionaries(levels, levels, min_size=2, max_size=6).map(lambda made: tuple(sorted(made.items())))
    curves = st.just(()) | several
    return st.tuples(*[curves] * 4).filter(any)


@values_of.register
def _(kind: ChoiceList) -> Strategy:
    return st.sets(st.sampled_from(kind.words), min_size=1).map(
        lambda chosen: tuple(word for word in kind.words if word in chosen)
    )


@st.composite
def extended_values(draw: st.DrawFn, most: int = 6) -> dict[str, Value]:
    """Values of some options of either kind, by short name."""
    chosen = draw(st.lists(st.sampled_from(EXTENDED_OPTIONS), max_size=most, unique_by=lambda option: option.short))
    values = draw(option_values(most=5)) | {option.short: draw(values_of(option.type)) for option in chosen}
    if draw(st.integers(0, 4)) == 0:
        values["f"] = draw(st.sampled_from(EXTENDED_FORMATS))
    return values


@st.composite
def extended_plans(draw: st.DrawFn) -> Plan:
    """A Plan as a canonical path can name it, with options that only dialects have."""
    return build_plan(draw(KEYS), draw(extended_values()))
