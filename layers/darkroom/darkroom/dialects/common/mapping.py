"""What a language's options come to, as the table that its parser goes by and its page is written from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ...errors import BadOption, UnknownOption
from ...plan.options import escape_text


@dataclass(frozen=True, slots=True)
class OptionMapping[Parser]:
    """One option of another service, by its documented ``name`` and further names.

    ``arguments`` are as its documentation writes them. ``to`` says which of our options it comes to ("" for none, and
    then ``note`` says why there is nothing to do), ``note`` what else there is to know: values that are refused above
    all. ``refused`` says why there is no such thing here. ``read`` is the parser's own; it is there if and only if the
    option is not refused. ``group`` sets options apart that are counted by themselves, such as those of a paid edition.
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
    """The table by every name that an option has."""
    return {name: covered for covered in mappings for name in covered.names}


def find_parser[Parser](table: Mapping[str, OptionMapping[Parser]], name: str) -> Parser:
    """What reads option ``name``; raises UnknownOption, or BadOption that says why the option is refused."""
    covered = table.get(name)
    if covered is None:
        raise UnknownOption(f"There is no option '{escape_text(name)}'", option=escape_text(name))
    if covered.parse is None:
        raise BadOption(f"{name} is not served here: {covered.refused}", option=name)
    return covered.parse


def count_supported[Parser](mappings: Iterable[OptionMapping[Parser]], group: str = "") -> tuple[int, int]:
    """How many options of ``group`` are covered, and how many there are."""
    options = [covered for covered in mappings if covered.group == group]
    return sum(covered.parse is not None for covered in options), len(options)
