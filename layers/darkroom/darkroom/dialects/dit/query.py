"""DIT's third form: edits in the query, which go before those of the path, by the names of version 7 or 8."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ...errors import BadOption
from ...plan.keys import unquote
from ..common.mapping import Covered, by_name, reader_of
from ..common.validate import refused
from . import query8

type Edits = dict[str, object]
type ParameterReader = Callable[[Edits, str], None]

_EXPIRES = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z")
_FALSE = frozenset({"", "0", "false"})
_NUMBER = re.compile(r"([+-]?[0-9]{1,9})(?:\.[0-9]*)?")
_SEPARATORS = re.compile("[&=]")
"""What stands between the pairs of a signed message: see :func:`parameters_of`."""


def parameters_of(query: str) -> dict[str, str]:
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
        if name in _TABLE or (name.partition(".")[0] in _BASES_WITH_FIELDS and "." in name):
            try:
                found[name] = unquote(value)
            except (UnicodeError, ValueError) as error:
                raise BadOption("The query is not percent-encoded UTF-8", option=name) from error
            if _SEPARATORS.search(found[name]):
                raise refused(name, "its value must not contain & or =")
    return dict(sorted(found.items()))


def edits_of(parameters: Mapping[str, str]) -> Edits:
    """The edits in ``parameters``, as DIT's ``query-param-mapper.ts`` makes them.

    Raises UnknownOption for a field that version 8 has and there is not here.
    """
    edits: Edits = {}
    for name, value in parameters.items():
        reader_of(_TABLE, name)(edits, value)
    return edits


def expires_of(text: str) -> int:
    """The Unix time of ``YYYYMMDDTHHmmssZ``; raises BadOption if it is none."""
    from datetime import UTC, datetime

    try:
        match = _EXPIRES.fullmatch(text)
        if match is not None:
            year, month, day, hour, minute, second = map(int, match.groups())
            return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())
    except (ValueError, OverflowError):
        pass
    raise refused("expires", "it must be a time like 20300102T120304Z")


def _box(name: str) -> ParameterReader:
    def read(edits: Edits, value: str) -> None:
        length: object = value
        if name != "fit":
            length = None if value == "0" else _parsed(name, value)
        resize = edits.setdefault("resize", {})
        assert isinstance(resize, dict)
        resize[name] = length

    return read


def _parsed(name: str, value: str) -> int | None:
    """A whole number, decimals cut off. Text after it is refused, where DIT's ``parseInt`` ignores it."""
    if value == "":
        return None
    match = _NUMBER.fullmatch(value)
    if match is None:
        raise refused(name, "it must be a whole number")
    return int(match[1])


def _rotate(edits: Edits, value: str) -> None:
    edits["rotate"] = _parsed("rotate", value)


def _format(edits: Edits, value: str) -> None:
    edits["toFormat"] = value


def _switch(edit: str) -> ParameterReader:
    def read(edits: Edits, value: str) -> None:
        edits[edit] = value.lower() not in _FALSE

    return read


def _nothing(_edits: Edits, _: str) -> None:
    pass


PARAMETERS: tuple[Covered[ParameterReader], ...] = (
    Covered("format", to="f", note="As toFormat.", read=_format, group="query"),
    Covered("fit", to="fit", note="As in resize.", read=_box("fit"), group="query"),
    Covered("width", to="w", note="0 and nothing are none.", read=_box("width"), group="query"),
    Covered("height", to="h", note="0 and nothing are none.", read=_box("height"), group="query"),
    Covered("rotate", to="rot, angle", note="As the edit.", read=_rotate, group="query"),
    Covered("flip", to="flip", read=_switch("flip"), group="query"),
    Covered("flop", to="flip", read=_switch("flop"), group="query"),
    Covered("grayscale", ("greyscale",), to="gray", read=_switch("greyscale"), group="query"),
    Covered("expires", arguments="YYYYMMDDTHHmmssZ", note="Checked.", read=_nothing, group="query"),
    Covered("signature", note="Checked.", read=_nothing, group="query"),
)
"""``QUERY_PARAM_MAPPING`` in ``query-param-mapper.ts``, and what ``image-request.ts`` reads itself."""

_TABLE = by_name((*PARAMETERS, *query8.PARAMETERS))
_BASES_WITH_FIELDS = query8.BASES
