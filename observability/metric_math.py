"""Evaluate CloudWatch's metric math, as far as this project's alarms and dashboards use it.

The semantics are those of the CloudWatch User Guide, "Using math expressions with CloudWatch metrics": two series are
combined where both have a point, a division by zero leaves no point, comparisons and logic give 1 and 0.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache, reduce

type Series = dict[int, float]
"""Values by the start of their period, in unix seconds. A period without data is not in it."""

type Value = float | Series | list[Series]
"""What CloudWatch calls S, TS and TS[]."""


class BadExpression(ValueError):
    """The expression is invalid or outside of the subset."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The periods of an expression's window, and the metrics that it may name."""

    times: Sequence[int]
    period_s: int
    metrics: Mapping[str, Value]
    """By id; METRICS() returns those that are series."""


def calculate(text: str, grid: Grid) -> Value:
    """Return the value of an expression. BadExpression if it is invalid, or names an unknown metric."""
    return parse(text)(grid)


def to_series(value: Value, times: Sequence[int]) -> Series:
    """Return a value as a graph shows it: a number is a constant series. BadExpression for several series."""
    match value:
        case dict():
            return value
        case list():
            raise BadExpression("an array of series is no single one")
        case _:
            return dict.fromkeys(times, value)


# ------------------------------------------------------------------ reading

type _Node = Callable[[Grid], Value]

_TOKEN = re.compile(r'\s*(?:(\d+\.?\d*|\.\d+)|([A-Za-z_]\w*)|(&&|\|\||[<>=!]=|[-+*/<>()\[\],])|"([^"]*)"|$)')

_PRECEDENCE = {
    "OR": 1,
    "AND": 2,
    **dict.fromkeys(("==", "!=", "<", ">", "<=", ">="), 3),
    **dict.fromkeys("+-", 4),
    **dict.fromkeys("*/", 5),
}
_SPELLINGS = {"&&": "AND", "||": "OR"}


class _Kind(IntEnum):
    """By the group of _TOKEN that matched."""

    NUMBER, NAME, SIGN, TEXT, END = range(1, 6)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: _Kind
    text: str


def _tokens(text: str) -> Iterator[_Token]:
    place = 0
    while (match := _TOKEN.match(text, place)) is not None:
        if match.lastindex is None:
            yield _Token(_Kind.END, "")
            return
        place, word = match.end(), match[match.lastindex]
        yield _Token(_Kind(match.lastindex), _SPELLINGS.get(word, word))
    raise BadExpression(f"cannot read {text[place:]!r}")


class _Parser:
    """A precedence climbing parser."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._next = next(self._tokens)

    def whole(self) -> _Node:
        node = self._binary(1)
        if self._next.kind != _Kind.END:
            raise BadExpression(f"did not expect {self._next.text!r}")
        return node

    def _take(self) -> _Token:
        taken = self._next
        self._next = next(self._tokens, taken)
        return taken

    def _expect(self, sign: str) -> None:
        if (taken := self._take()) != _Token(_Kind.SIGN, sign):
            raise BadExpression(f"expected {sign!r} but found {taken.text!r}")

    def _operator(self) -> str:
        """Return the next operator, or "": AND and OR are names to the tokenizer."""
        return self._next.text if self._next.kind in (_Kind.NAME, _Kind.SIGN) and self._next.text in _PRECEDENCE else ""

    def _binary(self, least: int) -> _Node:
        left = self._unary()
        while _PRECEDENCE.get(operator := self._operator(), 0) >= least:
            self._take()
            left = _binary_node(operator, left, self._binary(_PRECEDENCE[operator] + 1))
        return left

    def _unary(self) -> _Node:
        if self._next == _Token(_Kind.SIGN, "-"):
            self._take()
            return _binary_node("-", _constant_node(0.0), self._unary())
        return self._primary()

    def _primary(self) -> _Node:
        token = self._take()
        match token.kind:
            case _Kind.NUMBER:
                return _constant_node(float(token.text))
            case _Kind.NAME if self._next == _Token(_Kind.SIGN, "("):
                return self._call(token.text)
            case _Kind.NAME:
                return _metric_node(token.text)
            case _Kind.SIGN if token.text == "(":
                inner = self._binary(1)
                self._expect(")")
                return inner
            case _Kind.SIGN if token.text == "[":
                return _list_node(self._arguments("]"))
            case _:
                raise BadExpression(f"did not expect {token.text!r}")

    def _call(self, name: str) -> _Node:
        self._expect("(")
        if name == "METRICS":
            part = self._take().text if self._next.kind == _Kind.TEXT else ""
            self._expect(")")
            return _metrics_node(part)
        if name == "FILL":
            return self._fill()
        if name not in _FUNCTIONS:
            raise BadExpression(f"{name} is no function of the subset")
        return _call_node(name, self._arguments(")"))

    def _fill(self) -> _Node:
        filled = self._binary(1)
        self._expect(",")
        if self._next == _Token(_Kind.NAME, "REPEAT"):
            self._take()
            self._expect(")")
            return lambda grid: _map_series(filled(grid), lambda one: _repeat_last(one, grid.times))
        value = self._binary(1)
        self._expect(")")
        return lambda grid: _map_series(filled(grid), lambda one: to_series(value(grid), grid.times) | one)

    def _arguments(self, closing: str) -> list[_Node]:
        """Parse arguments up to ``closing``; the opening parenthesis or bracket has been consumed."""
        found = [self._binary(1)]
        while self._next == _Token(_Kind.SIGN, ","):
            self._take()
            found.append(self._binary(1))
        self._expect(closing)
        return found


@lru_cache(maxsize=1024)  # an alarm has the same expressions each minute
def parse(text: str) -> _Node:
    """Return the expression as a function of the grid. BadExpression if it is invalid."""
    return _Parser(text).whole()


@lru_cache(maxsize=1024)
def names_in(text: str) -> frozenset[str]:
    """Return the ids, functions and words of an expression. BadExpression if it is invalid."""
    return frozenset(token.text for token in _tokens(text) if token.kind == _Kind.NAME)


# -------------------------------------------------------------- calculating

_OPERATIONS: dict[str, Callable[[float, float], float | None]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b if b else None,
    "==": lambda a, b: float(a == b),
    "!=": lambda a, b: float(a != b),
    "<": lambda a, b: float(a < b),
    ">": lambda a, b: float(a > b),
    "<=": lambda a, b: float(a <= b),
    ">=": lambda a, b: float(a >= b),
    "AND": lambda a, b: float(bool(a) and bool(b)),
    "OR": lambda a, b: float(bool(a) or bool(b)),
}


def _constant_node(value: float) -> _Node:
    return lambda _grid: value


def _metric_node(name: str) -> _Node:
    def found(grid: Grid) -> Value:
        if name not in grid.metrics:
            raise BadExpression(f"there is no metric {name!r}")
        return grid.metrics[name]

    return found


def _metrics_node(part: str) -> _Node:
    return lambda grid: [value for name, value in grid.metrics.items() if part in name and isinstance(value, dict)]


def _list_node(nodes: list[_Node]) -> _Node:
    return lambda grid: [to_series(node(grid), grid.times) for node in nodes]


def _map_series(value: Value, change: Callable[[Series], Series]) -> Value:
    match value:
        case dict():
            return change(value)
        case list():
            return [change(one) for one in value]
        case _:
            raise BadExpression("a number has no gaps to fill")


def _repeat_last(one: Series, times: Sequence[int]) -> Series:
    filled: Series = {}
    last = None
    for time in times:
        last = one.get(time, last)
        if last is not None:
            filled[time] = last
    return filled


def _binary_node(operator: str, left: _Node, right: _Node) -> _Node:
    return lambda grid: _pairwise(_OPERATIONS[operator], left(grid), right(grid))


def _pairwise(operation: Callable[[float, float], float | None], left: Value, right: Value) -> Value:
    match left, right:
        case list(), list():
            raise BadExpression("two arrays of series cannot be combined")
        case list(), _:
            return [_require_series(_pairwise(operation, one, right)) for one in left]
        case _, list():
            return [_require_series(_pairwise(operation, left, one)) for one in right]
        case dict(), dict():
            found = {time: operation(value, right[time]) for time, value in left.items() if time in right}
        case dict(), float() | int():
            found = {time: operation(value, right) for time, value in left.items()}
        case float() | int(), dict():
            found = {time: operation(left, value) for time, value in right.items()}
        case float() | int(), float() | int():
            return {} if (number := operation(left, right)) is None else number
        case _:
            raise BadExpression("these cannot be combined")
    return {time: value for time, value in found.items() if value is not None}


def _require_series(value: Value) -> Series:
    if not isinstance(value, dict):
        raise BadExpression("expected a series")
    return value


def _call_node(name: str, nodes: list[_Node]) -> _Node:
    return lambda grid: _FUNCTIONS[name](grid, [node(grid) for node in nodes])


def _if(grid: Grid, arguments: list[Value]) -> Value:
    """Evaluate IF(condition, then) and IF(condition, then, else)."""
    if len(arguments) not in (2, 3) or any(isinstance(argument, list) for argument in arguments):
        raise BadExpression("IF takes a condition and one or two values, none an array")
    condition, *branches = arguments
    if isinstance(condition, float | int):
        return branches[0] if condition else branches[1] if len(branches) == 2 else {}
    then, *other = (to_series(branch, grid.times) for branch in branches)
    otherwise = other[0] if other else {}
    chosen = {time: (then if holds else otherwise).get(time) for time, holds in _require_series(condition).items()}
    return {time: value for time, value in chosen.items() if value is not None}


def _reducer(fold: Callable[[list[float]], float]) -> Callable[[Grid, list[Value]], Value]:
    """Reduce a series to a number (an empty one to nothing), an array to a series."""

    def reduced(_grid: Grid, arguments: list[Value]) -> Value:
        if len(arguments) != 1:
            raise BadExpression("expected one series, or a list of them in brackets")
        match arguments[0]:
            case dict() as one:
                return fold(list(one.values())) if one else {}
            case list() as many:
                times = reduce(lambda known, one: known | one.keys(), many, set[int]())
                return {time: fold([one[time] for one in many if time in one]) for time in sorted(times)}
            case number:
                return number

    return reduced


def _period(grid: Grid, _arguments: list[Value]) -> Value:
    return float(grid.period_s)


_FUNCTIONS: dict[str, Callable[[Grid, list[Value]], Value]] = {
    "IF": _if,
    "SUM": _reducer(sum),
    "MAX": _reducer(max),
    "MIN": _reducer(min),
    "AVG": _reducer(lambda values: sum(values) / len(values)),
    "PERIOD": _period,
}
