"""Presets and watermarks: the defaults of ``presets.toml``, or those of the settings document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from ..errors import BadOption
from .canonical import MIN_OPTIONS_BYTES, options_text
from .model import Plan
from .normalize import plan_of
from .option_types import FileName, Kind, Value
from .options import BY_NAME
from .redaction import check_first_page

MAX_LISTED = 700
"""Characters of presets' names that a refusal lists."""


@dataclass(frozen=True, slots=True)
class Presets:
    """``options``: for each preset its options by short name, as they would be written in a URL.

    ``watermarks``: the media bucket's key of each watermark, by name. ``at_ingest``: the presets that are made when a
    picture is taken in, not when they are first asked for.
    """

    options: Mapping[str, Mapping[str, str]]
    watermarks: Mapping[str, str]
    at_ingest: tuple[str, ...] = ()

    def __hash__(self) -> int:
        return hash((frozenset(self.options), frozenset(self.watermarks.items()), self.at_ingest))

    def values(self, name: str) -> dict[str, Value]:
        """The option values of preset ``name``; raises BadOption if there is none."""
        if name not in self.options:
            raise BadOption(f"preset: there is no preset {name!r}; there are {listed(self.options)}", option="preset")
        return {short: read_option(short, text) for short, text in self.options[name].items()}

    def plans(self, key: str) -> dict[str, Plan]:
        """What each preset makes of ``key``, by name."""
        return {name: plan_of(key, self.values(name)) for name in self.options}

    def ingested(self, key: str) -> dict[str, Plan]:
        """What the presets that are made at ingest make of ``key``, by name."""
        return {name: plan_of(key, self.values(name)) for name in self.at_ingest}


def listed(names: Iterable[str]) -> str:
    """The presets as a refusal lists them, within what one entry of the edge's KeyValueStore holds."""
    text = ", ".join(names) or "none"
    return text if len(text) <= MAX_LISTED else text[:MAX_LISTED].rpartition(",")[0] + ", ..."


def read_option(short: str, text: str) -> Value:
    """Read a value in its URL spelling; raises ValueError."""
    kind = BY_NAME[short].kind
    return kind.read([text] if isinstance(kind, FileName) else text.replace(":", ",").split(","))


def load(text: str) -> Presets:
    """Read ``presets.toml``; raises ValueError that names the preset and the option which is wrong."""
    import tomllib

    return read_presets(tomllib.loads(text))


def read_presets(document: Mapping[str, Any]) -> Presets:
    """The presets of ``document``, the tables ``presets``, ``ingest`` and ``watermarks``; raises ValueError."""
    options = {name: _spelled(name, table) for name, table in document.get("presets", {}).items()}
    watermarks = document.get("watermarks", {})
    for name in watermarks:
        if not _reads(BY_NAME["wm"].kind, [name]):
            raise ValueError(f"watermarks: {name!r} is not a name of a-z and 0-9")
    at_ingest = tuple(document.get("ingest", {}).get("presets", ()))
    for name in at_ingest:
        _check_ingested(name, options)
    return Presets(options, watermarks, at_ingest)


def _check_ingested(name: str, options: Mapping[str, Mapping[str, str]]) -> None:
    if name not in options:
        raise ValueError(f"ingest: there is no preset {name!r}")
    if options[name].get("f", "auto") == "auto":
        raise ValueError(f"ingest: preset {name!r} needs a format (f): what viewers accept is not known at ingest")


def _spelled(name: str, table: Mapping[str, object]) -> dict[str, str]:
    if not _reads(BY_NAME["preset"].kind, [name]):
        raise ValueError(f"preset {name!r}: the name must be of a-z, 0-9 and -")
    spelled = {BY_NAME[key].short if key in BY_NAME else key: _spell(value) for key, value in table.items()}
    for short, text in spelled.items():
        if short not in BY_NAME or short in ("preset", "exp", "s"):
            raise ValueError(f"preset {name!r}: {short!r} is not an option a preset can have")
        try:
            read_option(short, text)
        except ValueError as error:
            raise ValueError(f"preset {name!r}: {short} must be {BY_NAME[short].kind.expects}, not {text!r}") from error
    _check_plan(name, spelled)
    return spelled


def _check_plan(name: str, spelled: Mapping[str, str]) -> None:
    plan = plan_of("", {short: read_option(short, text) for short, text in spelled.items()})
    try:
        check_first_page(plan)
    except BadOption as error:
        raise ValueError(f"preset {name!r}: {error.message}") from error
    if len(options_text(plan)) > MIN_OPTIONS_BYTES:
        raise ValueError(f"preset {name!r}: the options are longer than {MIN_OPTIONS_BYTES} characters together")


def _spell(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _reads(kind: Kind, parts: list[str]) -> bool:
    try:
        kind.read(parts)
    except ValueError:
        return False
    return True


def presets_text() -> str:
    """The content of ``presets.toml``, the default presets."""
    from pathlib import Path

    return (Path(__file__).parent.parent / "presets.toml").read_text(encoding="utf-8")


@cache
def configured() -> Presets:
    """The default presets: those of a deployment whose settings have none."""
    return load(presets_text())
