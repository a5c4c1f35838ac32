"""Parse queries whose parameters are all known, for functions with URLs of their own."""

from __future__ import annotations

from collections.abc import Collection

from darkroom.errors import BadOption, DuplicateOption, UnknownOption
from darkroom.image_keys import unquote


def parse_parameters(
    query: str, names: Collection[str], max_characters: int, kind: str = "parameter"
) -> dict[str, str]:
    """Return the parameters of ``query`` by name. ``kind`` is what messages call them.

    Raises BadOption for a query that is too long and for a value that is not encoded, UnknownOption for a name that is
    none of ``names``, and DuplicateOption.
    """
    if len(query) > max_characters:
        raise BadOption(f"The query is longer than {max_characters} characters")
    values: dict[str, str] = {}
    for pair in filter(None, query.split("&")):
        name, _, text = pair.partition("=")
        if name not in names:
            raise UnknownOption(f"{name[:40]!r} is no {kind}", option=name[:40])
        if name in values:
            raise DuplicateOption(f"{name} is given twice", option=name)
        try:
            values[name] = unquote(text)
        except (ValueError, UnicodeError) as error:
            raise BadOption(f"{name} is not percent-encoded UTF-8", option=name) from error
    return values
