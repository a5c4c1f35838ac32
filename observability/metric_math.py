"""Evaluate CloudWatch's metric math, as far as this project's alarms and dashboards use it.

The semantics are those of the CloudWatch User Guide, "Using math expressions with CloudWatch metrics": two series are
combined where both have a point, a division by zero leaves no point, comparisons and logic give 1 and 0.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
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

_WORDS = re.compile(r'"[^"]*"|\b(?:AND|OR)\b|&&|\|\|')
_SPELLINGS = {"AND": " and ", "&&": " and ", "OR": " or ", "||": " or "}


def _parse_syntax(text: str) -> ast.expr:
    """Parse by Python's grammar: that of metric math is a part of it, except for the spelling of AND and OR."""
    spelled = _WORDS.sub(lambda word: _SPELLINGS.get(word[0], word[0]), text)
    try:
        return ast.parse(spelled.strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise BadExpression(f"cannot read {text!r}: {error}") from error


def _to_node(syntax: ast.expr) -> _Node:
    match syntax:
        case ast.Constant(value=float() | int() as number) if not isinstance(number, bool):
            return lambda _: float(number)
        case ast.Name(id=name):
            return _metric_node(name)
        case ast.List(elts=parts) if parts:
            return _list_node([_to_node(part) for part in parts])
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            return _to_call(name, arguments)
        case _:
            return _to_operation(syntax)


def _to_operation(syntax: ast.expr) -> _Node:
    further: Iterable[tuple[ast.AST, ast.expr]]
    match syntax:
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            first, further = ast.Constant(0.0), [(ast.Sub(), operand)]
        case ast.BinOp(left=first, op=sign, right=right):
            further = [(sign, right)]
        case ast.Compare(left=first, ops=signs, comparators=rights):
            further = zip(signs, rights, strict=True)
        case ast.BoolOp(op=sign, values=[first, *rights]):
            further = [(sign, right) for right in rights]
        case _:
            raise BadExpression(f"{ast.unparse(syntax)} is not of the subset")
    node = _to_node(first)
    for operator, operand in further:
        node = _binary_node(operator, node, _to_node(operand))
    return node


def _to_call(name: str, arguments: list[ast.expr]) -> _Node:
    match name, arguments:
        case "METRICS", []:
            return _metrics_node("")
        case "METRICS", [ast.Constant(value=str() as part)]:
            return _metrics_node(part)
        case "FILL", [syntax, ast.Name(id="REPEAT")]:
            repeated = _to_node(syntax)
            return lambda grid: _map_series(repeated(grid), lambda one: _repeat_last(one, grid.times))
        case "FILL", [syntax, other]:
            filled, value = _to_node(syntax), _to_node(other)
            return lambda grid: _map_series(filled(grid), lambda one: to_series(value(grid), grid.times) | one)
        case _ if name in _FUNCTIONS and arguments:
            return _call_node(name, [_to_node(argument) for argument in arguments])
        case _:
            raise BadExpression(f"{name} is no function of the subset, or has other arguments")


@lru_cache(maxsize=1024)  # an alarm has the same expressions each minute
def parse(text: str) -> _Node:
    """Return the expression as a function of the grid. BadExpression if it is invalid."""
    return _to_node(_parse_syntax(text))


@lru_cache(maxsize=1024)
def names_in(text: str) -> frozenset[str]:
    """Return the ids, functions and words of an expression. BadExpression if it is invalid."""
    return frozenset(node.id for node in ast.walk(_parse_syntax(text)) if isinstance(node, ast.Name))


# -------------------------------------------------------------- calculating

_OPERATIONS: dict[type[ast.AST], Callable[[float, float], float | None]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b if b else None,
    ast.Eq: lambda a, b: float(a == b),
    ast.NotEq: lambda a, b: float(a != b),
    ast.Lt: lambda a, b: float(a < b),
    ast.Gt: lambda a, b: float(a > b),
    ast.LtE: lambda a, b: float(a <= b),
    ast.GtE: lambda a, b: float(a >= b),
    ast.And: lambda a, b: float(bool(a) and bool(b)),
    ast.Or: lambda a, b: float(bool(a) or bool(b)),
}


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


def _binary_node(sign: ast.AST, left: _Node, right: _Node) -> _Node:
    if (operation := _OPERATIONS.get(type(sign))) is None:
        raise BadExpression(f"{type(sign).__name__} is no operator of the subset")
    return lambda grid: _pairwise(operation, left(grid), right(grid))


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
