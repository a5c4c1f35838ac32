"""CSS in an SVG: what could fetch is removed, and which elements it makes refer to others.

All of it takes time in proportion to the text: it runs with the interpreter's lock, where no CPU limit can stop it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

REFERENCE = re.compile(r"url\(\s*['\"]?#([^'\"()#\s]+)['\"]?\s*\)", re.IGNORECASE)
"""A reference within the same document. No match reaches beyond the next parenthesis, so that searches are linear."""

_BRACE = re.compile(r"[{};]")
_COMBINATOR = re.compile(r"[\s>+~]+")
_PART = re.compile(r"([.#]?)([\w-]+)")
_QUALIFIER = re.compile(r"::?[\w-]+(?:\([^()]*\))?|\[[^\]]*\]?")
"""Pseudo-classes and attribute selectors."""
_UNSAFE = re.compile(r"[\\@<]|javascript:|expression\(|url\(|image\(|image-set\(|src\(", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ReferenceRule:
    """What a rule for some elements refers to. "" stands for any element, class or id.

    It may match elements that the selector does not: of a compound with several classes, one is compared.
    """

    element: str
    of_class: str
    of_id: str
    ids: tuple[str, ...]
    layers: bool


def is_safe(value: str) -> bool:
    """Return whether a value, or a list of declarations, refers to nothing outside the document."""
    return not _UNSAFE.search(REFERENCE.sub("", value))


def filter_declarations(text: str) -> str:
    """``text``, the content of a ``style`` attribute or rule, without what is not safe."""
    parts = (part.strip() for part in _remove_comments(text).split(";"))
    return ";".join(part for part in parts if part and is_safe(part))


def filter_stylesheet(text: str) -> str:
    """A style sheet of plain rules: no ``@import``, ``@font-face`` or other at-rules, and only safe declarations."""
    rules = ((selector, filter_declarations(body)) for selector, body in _iter_rules(_remove_comments(text)))
    return "".join(f"{selector}{{{body}}}" for selector, body in rules if body and is_safe(selector))


def rewrite_rules(text: str, select: Callable[[str], str], declare: Callable[[str], str]) -> str:
    """A clean sheet with other selectors and declarations, without the rules for which ``select`` returns nothing."""
    rules = ((select(selectors), declare(body)) for selectors, body in _iter_rules(text))
    return "".join(f"{selectors}{{{body}}}" for selectors, body in rules if selectors)


def iter_reference_rules(text: str) -> Iterator[ReferenceRule]:
    """The rules of a clean sheet that refer to elements or need a layer of their own."""
    for selectors, body in _iter_rules(text):
        ids, layers = tuple(dict.fromkeys(REFERENCE.findall(body))), needs_layer(body)
        if ids or layers:
            for selector in selectors.split(","):
                yield ReferenceRule(*_parse_compound(selector.strip()), ids, layers)


def iter_compounds(text: str) -> Iterator[tuple[tuple[str, str, str], str]]:
    """What an element has to match, as in :class:`Rule`, and the declarations, of each selector of a clean sheet."""
    for selectors, body in _iter_rules(text):
        for selector in selectors.split(","):
            yield _parse_compound(selector.strip()), body


def needs_layer(text: str) -> bool:
    """Return whether these declarations draw an element apart before it is put on others."""
    return "opacity:" in text or "mix-blend-mode" in text or "isolation" in text


def _parse_compound(selector: str) -> tuple[str, str, str]:
    """Element, class and id of the last compound selector: what the element itself has to match."""
    parts = dict(_PART.findall(_COMBINATOR.split(_QUALIFIER.sub("", selector).strip())[-1]))
    return parts.get("", ""), parts.get(".", ""), parts.get("#", "")


def _remove_comments(text: str) -> str:
    """``text`` up to a comment that does not end, without all others."""
    pieces, at = [], 0
    while (start := text.find("/*", at)) >= 0:
        pieces.append(text[at:start])
        end = text.find("*/", start + 2)
        if end < 0:
            return "".join(pieces)
        at = end + 2
    return "".join([*pieces, text[at:]])


def _iter_rules(text: str) -> Iterator[tuple[str, str]]:
    """Selector and body of each plain rule; at-rules and rules that contain blocks are left out."""
    depth, start, body, plain = 0, 0, 0, True
    for mark in _BRACE.finditer(text):
        match mark[0]:
            case "{":
                depth, plain = depth + 1, depth == 0
                body = mark.end() if depth == 1 else body
            case "}" if depth > 1:
                depth -= 1
            case "}" if depth == 1:
                depth = 0
                selector = text[start : body - 1].strip()
                if plain and not selector.startswith("@"):
                    yield selector, text[body : mark.start()]
                start = mark.end()
            case _ if depth == 0:
                start = mark.end()
