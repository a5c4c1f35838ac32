"""Metric math against Python's arithmetic, and CloudWatch's rules for missing points."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observability.metric_math import BadExpression, Grid, Value, calculate, to_series

TIMES = (0, 60, 120, 180)


def calculated(text: str, **metrics: Value) -> Value:
    return calculate(text, Grid(TIMES, 60, metrics))


# ---------------------------------------------------------------- arithmetic

_NUMBERS = st.integers(0, 1000).map(str) | st.sampled_from(["0.5", "14.4", ".25", "a", "b"])
_VALUES = {"a": 3.0, "b": 0.125}


def _joined(parts: st.SearchStrategy[tuple[str, str]]) -> st.SearchStrategy[tuple[str, str]]:
    """Pairs of the same expression in metric math and in Python."""
    operators = st.sampled_from(["+", "-", "*", "/"])
    comparisons = st.sampled_from(["<", ">", "<=", ">=", "==", "!="])
    bracketed = parts.map(lambda p: (f"({p[0]})", f"({p[1]})"))
    return st.one_of(
        bracketed,
        parts.map(lambda p: (f"-({p[0]})", f"-({p[1]})")),
        st.builds(lambda a, o, b: (f"{a[0]} {o} {b[0]}", f"{a[1]} {o} {b[1]}"), parts, operators, parts),
        st.builds(lambda a, o, b: (f"({a[0]}{o}{b[0]})", f"float({a[1]}{o}{b[1]})"), bracketed, comparisons, bracketed),
        st.builds(
            lambda a, w, b: (f"({a[0]} {w} {b[0]})", f"float(bool({a[1]}) {w.lower()} bool({b[1]}))"),
            bracketed,
            st.sampled_from(["AND", "OR"]),
            bracketed,
        ),
    )


@given(st.recursive(_NUMBERS.map(lambda text: (text, text)), _joined, max_leaves=12))
def test_numbers_are_calculated_as_python_does(pair: tuple[str, str]) -> None:
    ours, pythons = pair
    try:
        expected = float(eval(pythons, {"__builtins__": {"float": float, "bool": bool}}, _VALUES))
    except ZeroDivisionError:
        return
    found = calculated(ours, **_VALUES)
    if found == {}:  # a division by zero that Python's short circuit passed over
        return
    assert isinstance(found, float)
    assert math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-9)


_POINTS = st.dictionaries(st.sampled_from(TIMES), st.floats(-1e6, 1e6, allow_nan=False))


@given(_POINTS, _POINTS, st.sampled_from(["+", "-", "*", "/", "<", ">="]))
def test_two_series_meet_where_both_have_a_point(left: dict[int, float], right: dict[int, float], sign: str) -> None:
    found = calculated(f"l {sign} r", l=left, r=right)
    shared = {time for time in left.keys() & right.keys() if sign != "/" or right[time] != 0}
    expected = {time: float(eval(f"a {sign} b", {}, {"a": left[time], "b": right[time]})) for time in shared}
    assert found == pytest.approx(expected)


@given(_POINTS, st.floats(-100, 100))
def test_fill_fills_the_gaps_alone(points: dict[int, float], value: float) -> None:
    assert calculated(f"FILL(m, {value:f})", m=points) == pytest.approx(dict.fromkeys(TIMES, value) | points, abs=1e-6)


@given(st.lists(_POINTS, min_size=1, max_size=4))
def test_arrays_are_folded_over_those_that_have_a_point(many: list[dict[int, float]]) -> None:
    metrics: dict[str, Any] = {f"m{number}": one for number, one in enumerate(many)}
    for name, fold in (("SUM", sum), ("MAX", max), ("MIN", min)):
        found = calculated(f"{name}(METRICS())", **metrics)
        assert found == {time: fold(o[time] for o in many if time in o) for time in {t for o in many for t in o}}
        assert calculated(f"{name}([{','.join(metrics)}])", **metrics) == found


# ----------------------------------------------------------------- functions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 + 3 * 4 - 6 / 2", 11.0),
        ("10 - 3 - 2", 5.0),
        ("16 / 4 / 2", 2.0),
        ("1 + 1 > 1 AND 0 OR 1", 1.0),
        ("1 OR 0 AND 0", 1.0),
        ("1 || 0 && 0", 1.0),
        ("2 < 3 == 1", 1.0),
        ("-2 * -3", 6.0),
        ("1 / 0", {}),
        ("IF(2 > 1, 5, 6)", 5.0),
        ("IF(0, 5, 6)", 6.0),
        ("IF(0, 5)", {}),
        ("gaps / 2", {0: 2.0, 120: 4.0}),
        ("1 / zeros", {60: 0.5}),
        ("FILL(gaps, 0)", {0: 4, 60: 0, 120: 8, 180: 0}),
        ("FILL(gaps, REPEAT)", {0: 4, 60: 4, 120: 8, 180: 8}),
        ("FILL(late, REPEAT)", {120: 1, 180: 1}),
        ("FILL(none, 0)", {0: 0, 60: 0, 120: 0, 180: 0}),
        ("FILL(gaps, whole)", {0: 4, 60: 2, 120: 8, 180: 4}),
        ("IF(whole >= 3, gaps, 0)", {0: 0, 60: 0, 120: 8}),
        ("IF(gaps > 5, 1, 0)", {0: 0, 120: 1}),
        ("IF(whole > 2, whole)", {120: 3, 180: 4}),
        ("IF(whole >= 3, 1 / zeros, 0)", {0: 0, 60: 0}),
        ("SUM(whole)", 10.0),
        ("AVG([gaps, whole])", {0: 2.5, 60: 2, 120: 5.5, 180: 4}),
        ("MAX(none)", {}),
        ("SUM([gaps, none])", {0: 4, 120: 8}),
        ('SUM(METRICS("a"))', {0: 4, 120: 9, 180: 1}),
        ("SUM(FILL(METRICS(), 0))", {0: 5, 60: 4, 120: 12, 180: 5}),
        ("whole / PERIOD(whole)", {0: 1 / 60, 60: 2 / 60, 120: 3 / 60, 180: 4 / 60}),
    ],
)
def test_expressions(text: str, expected: object) -> None:
    metrics: dict[str, Value] = {
        "gaps": {0: 4, 120: 8},
        "late": {120: 1, 180: 1} if "REPEAT" not in text else {120: 1},
        "none": {},
        "whole": {0: 1, 60: 2, 120: 3, 180: 4},
        "zeros": {0: 0, 60: 2},
    }
    assert calculated(text, **metrics) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "1 +", "(1", "1)", "m1 2", "m1 AND", "1 ^ 2", "m2", "[]", "[m1] + [m1]"),
        *(
            "SUM(",
            "SUM()",
            "SUM(1, 2)",
            "SEARCH('x')",
            "FILL(m1)",
            "FILL(1, 0)",
            "IF(m1)",
            "IF([m1], 1)",
            "METRICS(m1)",
        ),
    ],
)
def test_what_is_no_expression_of_the_subset_is_refused(text: str) -> None:
    with pytest.raises(BadExpression):
        calculated(text, m1={0: 1.0})


def test_a_number_is_a_level_line() -> None:
    assert to_series(2.5, TIMES) == dict.fromkeys(TIMES, 2.5)
    with pytest.raises(BadExpression):
        to_series([{}], TIMES)
