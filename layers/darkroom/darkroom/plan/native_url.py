"""Parse native URLs: ``/<key>?w=800&h=600&fit=cover``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import BadOption, DuplicateOption, UnknownOption
from ..image_keys import parse_key, unquote
from .canonical import build_plan, canonical_path, check_length
from .model import Plan
from .option_types import Value
from .options import NATIVE_OPTIONS, OPTIONS_BY_NAME, Option, escape_text, make_bad_option
from .presets import Presets, load_default_presets, parse_option
from .redaction import check_first_page


@dataclass(frozen=True, slots=True)
class NativeRequest:
    """A parsed native URL, before negotiation.

    ``takes_ratio_hint`` is False where the URL names its own pixel ratio. ``metadata`` is one of
    :data:`darkroom.plan.model.METADATA`, empty where the deployment decides.
    """

    plan: Plan
    signature: str = ""
    expires_s: int | None = None
    takes_ratio_hint: bool = True
    metadata: str = ""

    @property
    def path(self) -> str:
        """Return the canonical request, which signatures cover."""
        return canonical_path(self.plan)


def parse_url(target: str, presets: Presets | None = None) -> NativeRequest:
    """Parse ``/<key>[?query]``. Raises BadKey, or BadOption with the option, the value and the range.

    Of several mistakes the same one is reported whatever the order of the query: unknown names, then repeated ones,
    then values in the order of the option table. Options of plug-ins are not parsed, as at the edge.
    """
    path, _, query = target.partition("?")
    key = parse_key(path)
    given = _group_by_option(_split_query(query))
    values = {
        option.short: _parse_value(option, given[option.short]) for option in NATIVE_OPTIONS if option.short in given
    }
    preset = values.pop("preset", None)
    if isinstance(preset, str):
        values = (presets or load_default_presets()).parse_values(preset) | values
    expires = values.get("exp")
    request = NativeRequest(
        build_plan(key, values),
        str(values.get("s", "")),
        expires if isinstance(expires, int) else None,
        "dpr" not in values,
        str(values.get("meta", "")),
    )
    check_length(request.plan)
    check_first_page(request.plan)
    return request


def _split_query(query: str) -> Iterable[tuple[str, str]]:
    for pair in query.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            yield _decode(name), _decode(value)


def _decode(text: str) -> str:
    try:
        return unquote(text.replace("+", " "))
    except (UnicodeError, ValueError) as error:
        raise BadOption("The query is not percent-encoded UTF-8", detail=str(error)) from error


def _group_by_option(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    given: dict[str, str] = {}
    repeated: list[str] = []
    unknown: list[str] = []
    for name, value in pairs:
        if name not in OPTIONS_BY_NAME:
            unknown.append(escape_text(name))
        elif (short := OPTIONS_BY_NAME[name].short) in given:
            repeated.append(short)
        else:
            given[short] = value
    if unknown:
        name = min(unknown)
        raise UnknownOption(f"There is no option '{name}'", option=name)
    if repeated:
        raise DuplicateOption(f"{min(repeated)} was given twice", option=min(repeated))
    return given


def _parse_value(option: Option, text: str) -> Value:
    try:
        return parse_option(option.short, text)
    except ValueError as error:
        raise make_bad_option(option, text) from error
