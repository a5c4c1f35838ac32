"""Map options of a dialect to ours. Parsers and the pages in docs/reference/dialects use the same tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ...errors import BadOption, UnknownOption
from ...plan.options import escape_text


@dataclass(frozen=True, slots=True)
class OptionMapping[Parser]:
    """One option of another service, by its documented ``name`` and ``aliases``.

    ``arguments`` are as in its documentation. ``maps_to`` names our options; if it is empty, ``note`` says why there is
    nothing to do. ``note`` has other facts, such as rejected values. ``refused`` is the reason why the option is not
    supported; ``parse`` is set if and only if it is empty. ``group`` separates options that are counted on their own,
    such as those of a paid edition.
    """

    name: str
    aliases: tuple[str, ...] = ()
    arguments: str = ""
    maps_to: str = ""
    refused: str = ""
    note: str = ""
    parse: Parser | None = None
    group: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.aliases)


def index_by_name[Parser](mappings: Iterable[OptionMapping[Parser]]) -> Mapping[str, OptionMapping[Parser]]:
    """Return ``mappings`` by names and aliases."""
    return {name: covered for covered in mappings for name in covered.names}


def find_parser[Parser](table: Mapping[str, OptionMapping[Parser]], name: str) -> Parser:
    """Return the parser of option ``name``. Raises UnknownOption, or BadOption with the reason of a refusal."""
    covered = table.get(name)
    if covered is None:
        raise UnknownOption(f"There is no option '{escape_text(name)}'", option=escape_text(name))
    if covered.parse is None:
        raise BadOption(f"{name} is not supported: {covered.refused}", option=name)
    return covered.parse


def count_supported[Parser](mappings: Iterable[OptionMapping[Parser]], group: str = "") -> tuple[int, int]:
    """Return how many options of ``group`` are supported, and how many there are."""
    options = [covered for covered in mappings if covered.group == group]
    return sum(covered.parse is not None for covered in options), len(options)
