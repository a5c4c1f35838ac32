"""Tables of the options of other services, by name. Their pages in docs/reference/dialects list the same options."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from darkroom.errors import BadOption, UnknownOption
from darkroom.plan.options import escape_text


@dataclass(frozen=True, slots=True)
class OptionMapping[Parser]:
    """One option of another service, by its documented ``name`` and ``aliases``.

    ``refused`` is the reason why the option is not supported; ``parse`` is set if and only if it is empty. ``group``
    separates options that are counted on their own, such as those of a paid edition.
    """

    name: str
    aliases: tuple[str, ...] = ()
    parse: Parser | None = None
    refused: str = ""
    group: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.aliases)


def list_options[Parser](
    parsers: Mapping[str, Parser], refused: Mapping[str, str] = MappingProxyType({}), group: str = ""
) -> tuple[OptionMapping[Parser], ...]:
    """Return the options of ``group``: supported ones with their parsers, then ``refused`` ones with the reasons.

    Each key is the name of an option and its aliases, separated by spaces.
    """
    supported = (OptionMapping(*_split_names(names), parse=parse, group=group) for names, parse in parsers.items())
    unsupported = (
        OptionMapping[Parser](*_split_names(names), refused=reason, group=group) for names, reason in refused.items()
    )
    return (*supported, *unsupported)


def _split_names(names: str) -> tuple[str, tuple[str, ...]]:
    name, *aliases = names.split()
    return name, tuple(aliases)


def index_by_name[Parser](options: Iterable[OptionMapping[Parser]]) -> Mapping[str, OptionMapping[Parser]]:
    """Return ``options`` by names and aliases."""
    return {name: option for option in options for name in option.names}


def find_parser[Parser](table: Mapping[str, OptionMapping[Parser]], name: str) -> Parser:
    """Return the parser of option ``name``. Raises UnknownOption, or BadOption with the reason of a refusal."""
    option = table.get(name)
    if option is None:
        raise UnknownOption(f"There is no option '{escape_text(name)}'", option=escape_text(name))
    if option.parse is None:
        raise BadOption(f"{name} is not supported: {option.refused}", option=name)
    return option.parse


def count_supported[Parser](table: Iterable[OptionMapping[Parser]], group: str = "") -> tuple[int, int]:
    """Return how many options of ``group`` are supported, and how many there are."""
    options = [option for option in table if option.group == group]
    return sum(option.parse is not None for option in options), len(options)
