"""Replace names in an SVG: ids, classes and results of filters, which editors take from names of layers and people."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote

from ..safe_xml import XmlElement
from .css import REFERENCE, rewrite_rules

_SELECTED = re.compile(r"\[\s*([\w-]*)[^\]]*\]?|([.#])([\w-]+)")
"""An attribute selector, or a class or an id."""
_NAMING = ("id", "class")
_FILTER_INPUTS = ("in", "in2")


class _Names:
    """New names by old ones, numbered as they are found. ``prefix`` is that of a new name."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._new: dict[str, str] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._new

    def get(self, name: str) -> str:
        """Return the new name, one of its own for each old one."""
        return self._new.setdefault(name, f"{self._prefix}{len(self._new) + 1}")


def rename(root: XmlElement) -> None:
    """Give ids, classes and results of filters new names in the clean tree ``root``, wherever they are used.

    The names follow the order of the document: a second call changes nothing. Rules of style sheets that select by a
    part of an id or a class, or by one as an attribute, are removed.
    """
    ids, classes, results = _Names("i"), _Names("c"), _Names("r")
    for element in root.walk():
        if "id" in element.attributes:
            ids.get(element.attributes["id"])
        if "result" in element.attributes:
            results.get(element.attributes["result"])

    def refer(name: str) -> str:
        return ids.get(unquote(name) if name not in ids and unquote(name) in ids else name)

    for element in root.walk():
        _rename_attributes(element.attributes, refer, classes, results)
        if element.name.endswith("}style"):
            sheet = "".join(child for child in element.children if isinstance(child, str))
            element.children = [rewrite_rules(sheet, _select(ids, classes), lambda body: _refer_in(body, refer))]


def _rename_attributes(
    attributes: dict[str, str], refer: Callable[[str], str], classes: _Names, results: _Names
) -> None:
    for name, value in attributes.items():
        if name == "id":
            attributes[name] = refer(value)
        elif name == "class":
            attributes[name] = " ".join(classes.get(one) for one in value.split())
        elif name == "result" or (name in _FILTER_INPUTS and value in results):
            attributes[name] = results.get(value)
        elif name == "href" and value.startswith("#"):
            attributes[name] = f"#{refer(value[1:])}"
        elif "url(" in value.lower():
            attributes[name] = _refer_in(value, refer)


def _refer_in(text: str, refer: Callable[[str], str]) -> str:
    """``text`` with its references to ids renamed."""
    return REFERENCE.sub(lambda found: f"url(#{refer(found[1])})", text)


def _select(ids: _Names, classes: _Names) -> Callable[[str], str]:
    """A function that renames what a selector names; its result is empty if that is not possible."""
    names = {"#": ids, ".": classes}

    def rename_one(found: re.Match[str]) -> str:
        return f"{found[2]}{names[found[2]].get(found[3])}" if found[2] else found[0]

    def select(selectors: str) -> str:
        if any((found[1] or "").lower() in _NAMING for found in _SELECTED.finditer(selectors)):
            return ""
        return _SELECTED.sub(rename_one, selectors)

    return select
