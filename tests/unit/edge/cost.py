"""The CPU cost of an edge function's invocation, counted instead of timed.

CloudFront throttles functions near its compute limit and reports their "compute utilization", but publishes no unit.
CloudFront's engine is njs by all signs (``language.read_above``), so the unit here is a hundred machine instructions of
njs 0.8.9, as callgrind counts them for one evaluation of an expression (``_WEIGHTS``) or one call of a built-in
(``_BUILT_INS``). The source is instrumented: each piece that runs as a whole counts what it is made of, and built-ins
count what they do. The engine evaluates the whole script with each invocation, so the top level counts too. The result
is the same on each machine, and within a quarter of what callgrind counts for the whole invocation in njs.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from py_mini_racer import MiniRacer
from tree_sitter import Node

from functions.edge.syntax import parse

from .engine import NOW_S, loadable, without_imports

TRIVIAL = "import cf from'cloudfront';async function handler(a){let b=a.request;b.uri+='.webp';return b}"
"""The baseline of cost comparisons: a function that changes the path and nothing else."""

_WEIGHTS = Counter(
    {
        "call_expression": 5,
        "new_expression": 8,
        "arrow_function": 3,
        "function_declaration": 3,
        "regex": 5,
        "await_expression": 10,
        "object": 4,
        "pair": 4,
        "array": 10,
        "unary_expression": 3,
        "binary_expression": 1,
        "+": 3,
        "member_expression": 1,
        "subscript_expression": 1,
        "update_expression": 1,
        "ternary_expression": 1,
        "assignment_expression": 1,
        "augmented_assignment_expression": 3,
        "throw_statement": 6,
    }
)
"""The cost of one evaluation by type of node; all other nodes cost nothing."""

_INVOCATION = 260
"""The engine's own work for an invocation that does nothing."""

_COUNT = "__count"
_LOGICAL = frozenset({"&&", "||"})
_PRELUDE = f"let __operations=0;function {_COUNT}(n){{__operations+=n}}\n"
_BUILT_INS = """
(() => {
    const round = Math.round, min = Math.min, max = Math.max, keys = Object.keys;
    const cost = (owner, names, price) => names.split(' ').forEach(name => {
        const native = owner[name];
        owner[name] = function () {
            const result = native.apply(this, arguments);
            __operations += round(price(this, result, arguments));
            return result;
        };
    });
    const text = String.prototype, list = Array.prototype;
    const costs = [
        [text, 'indexOf', (all, at) => 8 + (at < 0 ? all.length : at) / 4],
        [text, 'lastIndexOf', (all, at, given) => 8 + (min(given.length > 1 ? given[1] : all.length) - max(at, 0)) / 4],
        [text, 'includes', all => 8 + all.length / 4],
        [text, 'split', (all, parts) => 8 + 3 * parts.length + all.length / 8],
        [text, 'replace', () => 60],
        [text, 'slice startsWith endsWith toLowerCase toUpperCase charCodeAt', () => 8],
        [RegExp.prototype, 'test', () => 40],
        [list, 'filter find reduce some map forEach', all => 12 + 4 * all.length],
        [list, 'sort', all => 15 + 5 * all.length],
        [list, 'join', all => 6 + 4 * all.length],
        [list, 'concat', (all, made) => 10 + 10 * made.length],
        [list, 'includes push slice', () => 6],
        [Object, 'keys', (all, names) => 14 + 7 * names.length],
        [Object, 'assign', (all, made) => 40 + 10 * keys(made).length],
        [Object.prototype, 'hasOwnProperty', () => 6],
        [JSON, 'parse', (all, made, given) => 20 + given[0].length],
        [JSON, 'stringify', (all, made) => 20 + made.length / 4],
        [Math, 'min max floor ceil round', () => 6],
        [globalThis, 'decodeURIComponent encodeURIComponent', () => 14]
    ];
    for (const one of costs) { cost(one[0], one[1], one[2]); }
    __operations = 0;
})();
"""
"""The cost of calls of built-ins: patterns, and searches in long texts, are slow in njs."""

_RUN = """
let answer;
function ask(text, held) {
    const event = JSON.parse(text);
    event.request.rawQueryString = () => event.rawQueryString;
    cf.held = JSON.parse(held);
    answer = undefined;
    __operations = 0;
    invoke(event).then(given => { answer = __operations; });
    return true;
}
"""


def operations(code: str, event: Mapping[str, Any], held: Mapping[str, str]) -> int:
    """How many operations one invocation of ``code`` for ``event`` takes.

    The key-value store holds ``held``.
    """
    script = without_imports(code)
    statement = loadable(code, "").removesuffix(script)
    engine = MiniRacer()
    try:
        invocation = f"function invoke(event){{{instrumented(script)}\nreturn handler(event)}}"
        now = f"Date.now=()=>{NOW_S * 1000};"
        engine.eval(f"'use strict';{_PRELUDE}{now}{statement}{invocation}{_RUN}{_BUILT_INS}")
        engine.call("ask", json.dumps(event), json.dumps(held))
        assert engine.eval("typeof answer") == "number", "the function did not answer"
        return int(str(engine.eval("answer"))) + _INVOCATION
    finally:
        engine.close()


def instrumented(script: str) -> str:
    """``script`` with a call that counts in front of each piece that runs as a whole."""
    root = parse(script)
    insertions: list[tuple[int, int, str]] = []
    for order, piece in enumerate(_pieces(root)):
        weight = _weight(piece, piece)
        if piece.type == "program":
            insertions.append((0, order, f"{_COUNT}({weight});"))
        elif piece.type == "statement_block":
            insertions.append((piece.start_byte + 1, order, f"{_COUNT}({weight});"))
        elif piece.type.endswith("_statement") or piece.type.endswith("_declaration"):
            insertions.append((piece.start_byte, order, f"{{{_COUNT}({weight});"))
            insertions.append((piece.end_byte, -order, "}"))
        else:
            insertions.append((piece.start_byte, order, f"({_COUNT}({weight}),"))
            insertions.append((piece.end_byte, -order, ")"))
    source, written, at = script.encode(), [], 0
    for place, _, text in sorted(insertions):
        written += [source[at:place].decode(), text]
        at = place
    return "".join(written) + source[at:].decode()


def _pieces(node: Node) -> Iterator[Node]:
    """``node`` and all nodes below it that run apart from their surroundings."""
    if node.parent is None or _is_piece(node):
        yield node
    for child in node.children:
        yield from _pieces(child)


def _is_piece(node: Node) -> bool:
    around = node.parent
    assert around is not None
    field = next(around.field_name_for_child(at) for at, child in enumerate(around.children) if child == node)
    match around.type:
        case "switch_case":
            return field == "body"
        case "arrow_function" | "function_declaration" | "for_statement" | "while_statement" | "catch_clause":
            return field == "body"
        case "if_statement":
            return field == "consequence"
        case "else_clause":
            return node.is_named
        case "ternary_expression":
            return field in ("consequence", "alternative")
        case "binary_expression":
            operator = around.child_by_field_name("operator")
            return field == "right" and operator is not None and (operator.text or b"").decode() in _LOGICAL
        case _:
            return False


def _weight(node: Node, piece: Node) -> int:
    """The weight of the nodes in ``piece`` from ``node`` down, without the pieces inside."""
    below = sum(_weight(child, piece) for child in node.children if not _is_piece(child))
    return _WEIGHTS[node.type] + below
