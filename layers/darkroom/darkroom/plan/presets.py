"""Presets and watermarks: the defaults of ``presets.toml``, changed by the settings document."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

from ..errors import BadOption
from .canonical import MIN_OPTIONS_BYTES, add_rights, build_plan, options_text
from .forced_options import is_unmarked
from .model import METADATA, NO_WATERMARK, Plan
from .option_plugins import NO_TEXTS, check_plugin_options, get_plugin_texts
from .option_types import FileName, OptionType, Value
from .options import OPTIONS_BY_NAME
from .redaction import check_first_page

MAX_NAMES_LENGTH = 700
"""The length of a list of presets in an error message."""


@dataclass(frozen=True, slots=True)
class Presets:
    """``options``: for each preset its options by short name, spelled as in a URL.

    ``watermarks``: the key of each watermark in the media bucket, by name. ``at_ingest``: the presets that are rendered
    at ingest instead of at their first request.
    """

    options: Mapping[str, Mapping[str, str]]
    watermarks: Mapping[str, str]
    at_ingest: tuple[str, ...] = ()

    def __hash__(self) -> int:
        return hash((frozenset(self.options), frozenset(self.watermarks.items()), self.at_ingest))

    def parse_values(self, name: str) -> dict[str, Value]:
        """Parse the option values of preset ``name``; raises BadOption if there is no such preset."""
        if name not in self.options:
            raise BadOption(
                f"preset: there is no preset {name!r}; there are {format_names(self.options)}", option="preset"
            )
        return {short: parse_option(short, text) for short, text in self.options[name].items()}

    def build_plans(self, key: str) -> dict[str, Plan]:
        """Return the plan of each preset for ``key``, by name."""
        return {name: build_plan(key, self.parse_values(name)) for name in self.options}

    def build_ingest_plans(self, key: str, metadata: str = METADATA[0]) -> dict[str, Plan]:
        """Return the plans for ``key`` of the presets that are rendered at ingest, by name.

        ``metadata``: what files of presets have that do not set it.
        """
        return {name: replace(plan, key=key) for name, plan in _build_ingest_plans(self, metadata).items()}


@lru_cache(maxsize=4)
def _build_ingest_plans(presets: Presets, metadata: str) -> Mapping[str, Plan]:
    """Return the plans for the key ``""``. Settings, and with them presets, are the same for many uploads."""
    values = {name: presets.parse_values(name) for name in presets.at_ingest}
    return {name: add_rights(build_plan("", own), str(own.get("meta", metadata))) for name, own in values.items()}


def format_names(names: Iterable[str]) -> str:
    """Join names for an error message, short enough for an entry of the edge function's key-value store."""
    text = ", ".join(names) or "none"
    return text if len(text) <= MAX_NAMES_LENGTH else text[:MAX_NAMES_LENGTH].rpartition(",")[0] + ", ..."


def parse_option(short: str, text: str) -> Value:
    """Parse a value in its URL spelling; raises ValueError."""
    kind = OPTIONS_BY_NAME[short].type
    return kind.parse([text] if isinstance(kind, FileName) else text.replace(":", ",").split(","))


def parse_presets_toml(text: str) -> Presets:
    """Parse ``presets.toml``; raises ValueError with the name of the invalid preset and option."""
    import tomllib

    return parse_presets(tomllib.loads(text))


def parse_presets(document: Mapping[str, Any]) -> Presets:
    """Parse the tables ``presets``, ``ingest`` and ``watermarks`` of ``document``; raises ValueError."""
    options = {name: _parse_preset(name, table) for name, table in document.get("presets", {}).items()}
    watermarks = document.get("watermarks", {})
    for name in watermarks:
        if not _is_valid(OPTIONS_BY_NAME["wm"].type, [name]):
            raise ValueError(f"watermarks: {name!r} is not a name of a-z and 0-9")
        if name == NO_WATERMARK:
            raise ValueError(f"watermarks: the name {name!r} stands for no watermark")
    at_ingest = tuple(document.get("ingest", {}).get("presets", ()))
    for name in at_ingest:
        _check_ingest_preset(name, options)
    return Presets(options, watermarks, at_ingest)


def _check_ingest_preset(name: str, options: Mapping[str, Mapping[str, str]]) -> None:
    if name not in options:
        raise ValueError(f"ingest: there is no preset {name!r}")
    if options[name].get("f", "auto") == "auto":
        raise ValueError(f"ingest: preset {name!r} needs a format (f): what viewers accept is not known at ingest")


def _parse_preset(name: str, table: Mapping[str, object]) -> dict[str, str]:
    if not _is_valid(OPTIONS_BY_NAME["preset"].type, [name]):
        raise ValueError(f"preset {name!r}: the name must be of a-z, 0-9 and -")
    spelled = {
        OPTIONS_BY_NAME[key].short if key in OPTIONS_BY_NAME else key: _format_value(value)
        for key, value in table.items()
    }
    for short, text in spelled.items():
        if short not in OPTIONS_BY_NAME or short in ("preset", "exp", "s"):
            raise ValueError(f"preset {name!r}: {short!r} is not an option a preset can have")
        try:
            parse_option(short, text)
        except ValueError as error:
            raise ValueError(
                f"preset {name!r}: {short} must be {OPTIONS_BY_NAME[short].type.allowed_values}, not {text!r}"
            ) from error
    _check_plan(name, spelled)
    return spelled


def _check_plan(name: str, spelled: Mapping[str, str]) -> None:
    plan = build_plan("", {short: parse_option(short, text) for short, text in spelled.items()})
    if plan.watermark and is_unmarked(plan):
        raise ValueError(f"preset {name!r}: wm=none needs a signature with each request")
    try:
        check_first_page(plan)
        if get_plugin_texts(plan) != NO_TEXTS:
            check_plugin_options(plan)
    except BadOption as error:
        raise ValueError(f"preset {name!r}: {error.message}") from error
    if len(options_text(plan)) > MIN_OPTIONS_BYTES:
        raise ValueError(f"preset {name!r}: the options are longer than {MIN_OPTIONS_BYTES} characters together")


def _format_value(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _is_valid(kind: OptionType, parts: list[str]) -> bool:
    try:
        kind.parse(parts)
    except ValueError:
        return False
    return True


def read_presets_file() -> str:
    """Read ``presets.toml``, the default presets."""
    from pathlib import Path

    return (Path(__file__).parent.parent / "presets.toml").read_text(encoding="utf-8")


@cache
def load_default_presets() -> Presets:
    """Load the default presets, those of deployments whose settings have none."""
    return parse_presets_toml(read_presets_file())


def check_files(names: str, load: Callable[[], object]) -> int:
    """Return the exit status of a build that calls ``load``: 1 after an error message about the files ``names``."""
    import sys

    try:
        load()
    except Exception as error:  # a file of the wrong shape raises more than ValueError
        sys.stderr.write(f"{names}: {error.__class__.__name__}: {error}\n")
        return 1
    return 0


def main() -> int:
    """Check ``presets.toml``. Returns the exit status, 1 after an error message."""
    return check_files("presets.toml", load_default_presets)


if __name__ == "__main__":
    raise SystemExit(main())
