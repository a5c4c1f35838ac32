"""Parse untrusted XML: without entities or anything external, and of bounded size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

MAX_DEPTH = 128


class XmlEntityDeclared(ValueError):
    """The document declares entities, which are never expanded."""


class XmlTooLarge(ValueError):
    """The document has too many elements, or nests them too deeply."""


@dataclass(slots=True)
class XmlElement:
    """``name`` and the names in ``attributes`` have the form ``{namespace}name``, or ``name`` without a namespace.

    ``children`` are elements and text in document order. Comments and processing instructions are dropped.
    """

    name: str
    attributes: dict[str, str]
    children: list[XmlElement | str] = field(default_factory=list)

    def iter_children(self) -> Iterator[XmlElement]:
        """Return the child elements."""
        return (child for child in self.children if isinstance(child, XmlElement))

    def walk(self) -> Iterator[XmlElement]:
        """Return this element and all below it, in document order."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            yield element
            waiting.extend(reversed(list(element.iter_children())))

    @property
    def text(self) -> str:
        """Return the text directly in this element."""
        return "".join(child for child in self.children if isinstance(child, str))


class _RootFound(Exception):
    """Raised to end the parsing where only the root is wanted."""


class _Builder:
    def __init__(self, max_elements: int, *, root_only: bool) -> None:
        self.root: XmlElement | None = None
        self._open: list[XmlElement] = []
        self._left = max_elements
        self._root_only = root_only

    def start(self, name: str, attributes: dict[str, str]) -> None:
        element = XmlElement(_qualify(name), {_qualify(key): value for key, value in attributes.items()})
        self._left -= 1
        if self._left < 0 or len(self._open) >= MAX_DEPTH:
            raise XmlTooLarge("too many elements, or too deep")
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)
        if self._root_only:
            raise _RootFound

    def end(self, _name: str) -> None:
        self._open.pop()

    def text(self, data: str) -> None:
        self._open[-1].children.append(data)


def parse_xml(data: bytes, *, max_elements: int, root_only: bool = False) -> XmlElement:
    """Return the root of an XML document, with all that is below it unless ``root_only``.

    A document type is accepted as long as it declares no entity; its external part is never read. Raise
    XmlEntityDeclared, XmlTooLarge, or ValueError where the document is not well-formed.
    """
    builder = _Builder(max_elements, root_only=root_only)
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.EntityDeclHandler = _refuse_entity
    try:
        parser.Parse(data, True)
    except _RootFound:
        pass
    except expat.ExpatError as error:
        raise ValueError(f"not well-formed: {error}") from error
    if builder.root is None:
        raise ValueError("no root element")
    return builder.root


def _refuse_entity(*_declaration: object) -> None:
    raise XmlEntityDeclared("entities are not expanded here")


def _qualify(name: str) -> str:
    """Return ``name`` as ``{namespace}name``: expat puts the separator between both."""
    return f"{{{name}" if "}" in name else name
