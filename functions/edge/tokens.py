"""Write JavaScript as tokens, without comments and braces, and with expressions in place of statements where shorter.

``if (a) b(); else c();`` becomes ``a?b():c()``. A function that only computes becomes one expression: its variables are
further parameters, which no caller passes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, pairwise
from string import ascii_letters, digits
from typing import NamedTuple

from tree_sitter import Node

from functions.edge.syntax import list_parts, text_of

LINE_LENGTH = 2000
"""Lines end at the next comma, where a line break cannot end a statement."""

_ATOMS = frozenset({"string", "regex"})
_PLAIN = frozenset({"expression_statement", "return_statement", "throw_statement"})
_WORD = frozenset(ascii_letters + digits + "_$")
_OPERANDS = frozenset(
    {"identifier", "member_expression", "subscript_expression", "call_expression", "unary_expression"}
)
"""Expressions that need no parentheses as operands of ``&&`` and ``||``."""


class Token(NamedTuple):
    """A token's kind in the JavaScript grammar, and its text."""

    kind: str
    text: str


_DECLARE = Token("lexical_declaration", "let")
_DECLARED_END = Token("lexical_declaration", ";")


def write_tokens(node: Node) -> list[Token]:
    """Return the tokens of ``node``."""
    kind, children = node.type, node.children
    if kind in _ATOMS or not children:
        return [] if kind == "comment" else [Token(kind, text_of(node))]
    if _has_needless_braces(node):
        return write_tokens(node.named_children[0])
    if kind == "lexical_declaration":
        return [_DECLARE, *_write_all(children[1:-1]), _DECLARED_END]
    if kind == "if_statement" and (expression := _as_expression(node)):
        return [*expression, _symbol(";")]
    if kind == "arrow_function" and (computation := _as_computation(node)):
        return min(computation, _write_all(children), key=_length)
    return _write_all(children)


def _write_all(nodes: Iterable[Node]) -> list[Token]:
    return list(chain.from_iterable(map(write_tokens, nodes)))


def _has_needless_braces(node: Node) -> bool:
    """Return whether ``node`` is the block of an ``if`` or ``else`` with one statement that no ``else`` binds to."""
    if node.type != "statement_block" or node.parent is None:
        return False
    inner = [child.type for child in node.named_children]
    return node.parent.type in ("if_statement", "else_clause") and len(inner) == 1 and inner[0] in _PLAIN


def _as_expression(statement: Node, variables: list[Node] | None = None) -> list[Token]:
    """Return a statement as an expression of any precedence but a comma's, no tokens if it is none or longer.

    Its variables are appended to ``variables``; without that, a statement that declares some is no expression.
    """
    parts = list_parts(statement)
    if _returns(statement):
        return []
    if statement.type == "expression_statement":
        return write_tokens(parts[0])
    if statement.type == "statement_block":
        return _in_parentheses(_as_expressions(parts, variables))
    if statement.type != "if_statement":
        return []
    condition = parts[0].named_children[0]
    if len(parts) == 2:
        return _as_choice(condition, parts[1], variables)
    branches = _as_expression(parts[1], variables), _as_expression(list_parts(parts[2])[0], variables)
    return [*_as_operand(condition, "?"), *branches[0], _symbol(":"), *branches[1]] if all(branches) else []


def _as_choice(condition: Node, statement: Node, variables: list[Node] | None) -> list[Token]:
    """Return an ``if`` without ``else`` as operands of ``&&`` or ``||``, no tokens if it needs more parentheses."""
    operator = "&&"
    if condition.type == "unary_expression" and text_of(condition)[0] == "!":
        condition, operator = condition.named_children[0], "||"
        if condition.type == "parenthesized_expression":
            condition = condition.named_children[0]
    if not _is_operand(condition, operator):
        return []
    expression = _as_expression(statement, variables)
    parts = list_parts(statement) if statement.type == "statement_block" else [statement]
    is_call = parts[0].type == "expression_statement" and list_parts(parts[0])[0].type in _OPERANDS
    if len(parts) == 1 and expression and not is_call:
        expression = [_symbol("("), *expression, _symbol(")")]
    return [*write_tokens(condition), _symbol(operator), *expression] if expression else []


def _is_operand(node: Node, operator: str) -> bool:
    """Return whether ``node`` needs no parentheses in front of ``operator``: ``&&``, ``||`` or ``?``."""
    own = node.child_by_field_name("operator") if node.type == "binary_expression" else None
    return node.type in _OPERANDS or (own is not None and (operator != "&&" or text_of(own) != "||"))


def _as_operand(condition: Node, operator: str) -> list[Token]:
    inner = write_tokens(condition)
    return [*(inner if _is_operand(condition, operator) else [_symbol("("), *inner, _symbol(")")]), _symbol(operator)]


def _as_expressions(steps: Sequence[Node], variables: list[Node] | None) -> list[list[Token]]:
    """Return statements as expressions, of which the last one is what a ``return`` at the end returns; or none."""
    expressions: list[list[Token]] = []
    for step in reversed(steps):
        parts = list_parts(step)
        if step.type == "return_statement":
            expression = write_tokens(parts[0]) if parts and step == steps[-1] else []
        elif step.type == "lexical_declaration":
            if variables is None or not all(one.child_by_field_name("value") for one in parts):
                return []
            variables += [one.named_children[0] for one in parts]
            expressions[:0] = [write_tokens(declared) for declared in parts]
            continue
        elif step.type == "if_statement" and len(parts) == 2 and _ends(parts[1]):
            early = _in_parentheses(_as_expressions(list_parts(parts[1]), variables))
            condition = _as_operand(parts[0].named_children[0], "?")
            expression = [*condition, *early, _symbol(":"), *_in_parentheses(expressions)] if early else []
            expressions = []
        else:
            expression = _as_expression(step, variables)
        if not expression:
            return []
        expressions.insert(0, expression)
    return expressions


def _ends(block: Node) -> bool:
    """Return whether ``block`` ends with a ``return``."""
    return block.type == "statement_block" and list_parts(block)[-1].type == "return_statement"


def _returns(statement: Node) -> bool:
    """Return whether ``statement`` returns in some case from the function that it is in."""
    if statement.type in ("arrow_function", "function_declaration", "function_expression"):
        return False
    return statement.type == "return_statement" or any(map(_returns, statement.named_children))


def _as_computation(arrow: Node) -> list[Token]:
    """Return an arrow function with an expression in place of its block, no tokens if a statement is none."""
    body = arrow.child_by_field_name("body")
    steps = list_parts(body) if body is not None and body.type == "statement_block" else []
    variables: list[Node] = []
    expressions = _as_expressions(steps, variables)
    if not expressions or steps[-1].type != "return_statement":
        return []
    given = arrow.child_by_field_name("parameter")
    parameters = [given] if given else arrow.children[0].named_children
    names = dict.fromkeys(map(text_of, [*parameters, *variables]))
    written = _in_parentheses([[Token("identifier", name)] for name in names])
    return [*(written or [_symbol("("), _symbol(")")]), _symbol("=>"), *_in_parentheses(expressions)]


def _in_parentheses(expressions: Sequence[Sequence[Token]]) -> list[Token]:
    """Return ``expressions`` with commas between them, in parentheses unless it is one that needs none."""
    tokens = [token for expression in expressions for token in (_symbol(","), *expression)][1:]
    is_plain = len(expressions) < 2 and tokens[:1] != [_symbol("{")]
    return tokens if is_plain else [_symbol("("), *tokens, _symbol(")")]


def _symbol(text: str) -> Token:
    return Token(text, text)


def _length(tokens: Iterable[Token]) -> int:
    """Return the length of ``tokens`` with names of one letter."""
    return len(join_tokens([Token(kind, "a" if kind == "identifier" else text) for kind, text in tokens]))


def join_tokens(tokens: Sequence[Token]) -> str:
    """Return the text of ``tokens``. Consecutive declarations are joined; semicolons before braces are dropped."""
    lines = [[" "]]
    for before, token in pairwise([_DECLARE, *tokens]):
        text, last = token.text, lines[-1][-1]
        if before == _DECLARED_END and token == _DECLARE:
            lines[-1][-1] = text = ","
        else:
            if text == "}" and last == ";":
                lines[-1].pop()
            elif (last[-1] in _WORD and text[0] in _WORD) or (last[-1] == text[0] and text[0] in "+-/"):
                lines[-1].append(" ")
            lines[-1].append(text)
        if text == "," and sum(map(len, lines[-1])) > LINE_LENGTH:
            lines.append([" "])
    return "\n".join("".join(words[1:]) for words in lines)
