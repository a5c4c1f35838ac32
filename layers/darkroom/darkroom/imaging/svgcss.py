"""CSS in an SVG: what could fetch is cut out, and which elements it makes refer to others."""

from __future__ import annotations

import re

REFERENCE = re.compile(r"url\(\s*['\"]?#([^'\")\s]+)['\"]?\s*\)", re.IGNORECASE)
"""A reference within the same document."""

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_AT_RULE = re.compile(r"@[^{;]*(?:;|\{(?:[^{}]|\{[^{}]*\})*\})")
_RULE = re.compile(r"([^{}]*)\{([^{}]*)\}")
_CLASS = re.compile(r"\.([\w-]+)\Z")
_UNSAFE = re.compile(r"[\\@<]|javascript:|expression\(|url\(|image\(|image-set\(|src\(", re.IGNORECASE)


def is_safe(value: str) -> bool:
    """Whether a value, or a list of declarations, refers to nothing outside the document."""
    return not _UNSAFE.search(REFERENCE.sub("", value))


def declarations(text: str) -> str:
    """``text``, the content of a ``style`` attribute or rule, without what is not safe."""
    return ";".join(part.strip() for part in _COMMENT.sub("", text).split(";") if part.strip() and is_safe(part))


def sheet(text: str) -> str:
    """A style sheet of plain rules: no ``@import``, ``@font-face`` or other at-rules, and only safe declarations."""
    plain = _AT_RULE.sub("", _COMMENT.sub("", text))
    rules = ((selector.strip(), declarations(body)) for selector, body in _RULE.findall(plain))
    return "".join(f"{selector}{{{body}}}" for selector, body in rules if body and is_safe(selector))


def references(text: str) -> dict[str, list[str]]:
    """The ids that a clean sheet refers to, by class; those of any other selector by ``*``."""
    found: dict[str, list[str]] = {}
    for selectors, body in _RULE.findall(text):
        for selector in selectors.split(","):
            name = _CLASS.fullmatch(selector.strip())
            found.setdefault(name[1] if name else "*", []).extend(REFERENCE.findall(body))
    return found
