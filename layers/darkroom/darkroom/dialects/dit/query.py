"""DIT's third form: edits in the query, which go before those of the path, by the names of version 7 or 8."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ...errors import BadOption
from ...plan.keys import unquote
from ..common.mapping import OptionMapping, find_parser, index_by_name
from ..common.validate import bad_option
from . import query8

type Edits = dict[str, object]
type ParameterParser = Callable[[Edits, str], None]

_EXPIRES = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z")
_FALSE = frozenset({"", "0", "false"})
_NUMBER = re.compile(r"([+-]?[0-9]{1,9})(?:\.[0-9]*)?")
_SEPARATORS = re.compile("[&=]")
"""What stands between the pairs of a signed message: see :func:`parameters_of`."""


def parse_parameters(query: str) -> dict[str, str]:
    """The parameters that DIT 7 or 8 knows, decoded and sorted. Of several of one name the last counts.

    Others say nothing, but for fields of parameters of version 8, so that they can be refused by name.
    DIT's CloudFront Function sorts them, and so decides whether a turn stands before the resize.

    Raises BadOption where the query is not percent-encoded UTF-8, or where a decoded value has a separator: DIT signs
    decoded values without escapes, so that ``height=7%26width%3D9`` and ``height=7&width=9`` share a signature there.
    No value of DIT needs a separator; without them a signed message has exactly one list of parameters.
    """
    found: dict[str, str] = {}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if name in _PARAMETERS_BY_NAME or (name.partition(".")[0] in _BASES_WITH_FIELDS and "." in name):
            try:
                found[name] = unquote(value)
            except (UnicodeError, ValueError) as error:
                raise BadOption("The query is not percent-encoded UTF-8", option=name) from error
            if _SEPARATORS.search(found[name]):
                raise bad_option(name, "its value must not contain & or =")
    return dict(sorted(found.items()))


def convert_parameters(parameters: Mapping[str, str]) -> Edits:
    """The edits in ``parameters``, as DIT's ``query-param-mapper.ts`` makes them.

    Raises UnknownOption for a field that version 8 has and there is not here.
    """
    edits: Edits = {}
    for name, value in parameters.items():
        find_parser(_PARAMETERS_BY_NAME, name)(edits, value)
    return edits


def parse_expires(text: str) -> int:
    """The Unix time of ``YYYYMMDDTHHmmssZ``; raises BadOption if it is none."""
    from datetime import UTC, datetime

    try:
        match = _EXPIRES.fullmatch(text)
        if match is not None:
            year, month, day, hour, minute, second = map(int, match.groups())
            return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())
    except (ValueError, OverflowError):
        pass
    raise bad_option("expires", "it must be a time like 20300102T120304Z")


def _make_box_parser(name: str) -> ParameterParser:
    def read(edits: Edits, value: str) -> None:
        length: object = value
        if name != "fit":
            length = None if value == "0" else _parse_int(name, value)
        resize = edits.setdefault("resize", {})
        assert isinstance(resize, dict)
        resize[name] = length

    return read


def _parse_int(name: str, value: str) -> int | None:
    """A whole number, decimals cut off. Text after it is refused, where DIT's ``parseInt`` ignores it."""
    if value == "":
        return None
    match = _NUMBER.fullmatch(value)
    if match is None:
        raise bad_option(name, "it must be a whole number")
    return int(match[1])


def _parse_rotate(edits: Edits, value: str) -> None:
    edits["rotate"] = _parse_int("rotate", value)


def _parse_format(edits: Edits, value: str) -> None:
    edits["toFormat"] = value


def _make_switch(edit: str) -> ParameterParser:
    def read(edits: Edits, value: str) -> None:
        edits[edit] = value.lower() not in _FALSE

    return read


def _ignore(_edits: Edits, _: str) -> None:
    pass


PARAMETER_MAPPINGS: tuple[OptionMapping[ParameterParser], ...] = (
    OptionMapping("format", maps_to="f", note="As toFormat.", parse=_parse_format, group="query"),
    OptionMapping("fit", maps_to="fit", note="As in resize.", parse=_make_box_parser("fit"), group="query"),
    OptionMapping("width", maps_to="w", note="0 and nothing are none.", parse=_make_box_parser("width"), group="query"),
    OptionMapping(
        "height", maps_to="h", note="0 and nothing are none.", parse=_make_box_parser("height"), group="query"
    ),
    OptionMapping("rotate", maps_to="rot, angle", note="As the edit.", parse=_parse_rotate, group="query"),
    OptionMapping("flip", maps_to="flip", parse=_make_switch("flip"), group="query"),
    OptionMapping("flop", maps_to="flip", parse=_make_switch("flop"), group="query"),
    OptionMapping("grayscale", ("greyscale",), maps_to="gray", parse=_make_switch("greyscale"), group="query"),
    OptionMapping("expires", arguments="YYYYMMDDTHHmmssZ", note="Checked.", parse=_ignore, group="query"),
    OptionMapping("signature", note="Checked.", parse=_ignore, group="query"),
)
"""``QUERY_PARAM_MAPPING`` in ``query-param-mapper.ts``, and what ``image-request.ts`` reads itself."""

_PARAMETERS_BY_NAME = index_by_name((*PARAMETER_MAPPINGS, *query8.VERSION_8_MAPPINGS))
_BASES_WITH_FIELDS = query8.VERSION_8_BASES
