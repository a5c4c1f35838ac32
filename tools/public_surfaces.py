"""What users rely on, to compare a release with the last one (docs/getting-started/install.md, "Versions").

``python -m tools.public_surfaces`` records them in ``tests/cases/public_surfaces.json`` when a version is released.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from cli.commands import app
from cli.exit_codes import ExitCode
from cli.framework import shared_options
from cli.template_values import read_template
from darkroom import errors, image_keys
from darkroom.errors import list_errors_by_code
from darkroom.plan.options import NATIVE_OPTIONS
from darkroom.settings import list_setting_fields
from extensions import list_extensions

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / "tests" / "cases" / "public_surfaces.json"
CHANGELOG = ROOT / "CHANGELOG.md"

type Surface = dict[str, Any]


def _list_templates() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the prefix of names, and the template, of every stack that is installed by itself."""
    yield "", read_template(ROOT / "template.yaml")
    for one in list_extensions():
        yield f"{one.flag}.", read_template(one.template)


def _list_parameters() -> Surface:
    facts = ("Type", "Default", "AllowedValues", "AllowedPattern", "MinValue", "MaxValue")
    return {
        prefix + name: {fact: parameter[fact] for fact in facts if fact in parameter}
        for prefix, template in _list_templates()
        for name, parameter in template["Parameters"].items()
    }


def _list_outputs() -> Surface:
    return {prefix + name: {} for prefix, template in _list_templates() for name in template["Outputs"]}


def _list_options() -> Surface:
    return {
        one.short: {"long": one.long, "values": one.type.allowed_values, "default": repr(one.default)}
        for one in NATIVE_OPTIONS
    }


def _list_settings() -> Surface:
    return {one.name: {"default": repr(one.default)} for one in list_setting_fields()}


def _list_commands(group: click.Group = app, path: str = "") -> Surface:
    found: Surface = {} if path else {"options": sorted(_names(shared_options()))}
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found |= _list_commands(command, f"{path}{name} ")
        else:
            fields = sorted(getattr(command, "output", None) or ())
            found[path + name] = {"parameters": sorted(_names(command.params)), "json": fields}
    return found


def _names(parameters: Any) -> Iterator[str]:
    for one in parameters:
        if not str(one.name).startswith("shared_"):
            yield from one.opts


def _list_events() -> Surface:
    folders = [ROOT / "docs" / "reference" / "schemas", *(one.folder / "docs" for one in list_extensions())]
    schemas = [json.loads(path.read_text(encoding="utf-8")) for one in folders for path in one.glob("*.schema.json")]
    return {
        one["title"]: {"properties": sorted(one["properties"]), "required": sorted(one["required"])} for one in schemas
    }


def _list_metrics() -> Surface:
    page = (ROOT / "docs" / "reference" / "telemetry.md").read_text(encoding="utf-8")
    table = page[page.index("## Metrics") :]
    cells = [row.split("|")[3] for row in re.findall(r"^\|.*\|$", table, re.MULTILINE) if row.count("|") > 4]
    return {name: {} for cell in cells for name in re.findall(r"`([A-Z]\w+)`", cell)}


def _list_errors() -> Surface:
    """Return the codes of the core; those of extensions depend on what else is imported."""
    found = {code: kind for code, kind in list_errors_by_code().items() if kind.__module__ == errors.__name__}
    return {code: {"status": kind.status} for code, kind in found.items()}


def _list_objects() -> Surface:
    """Return the prefixes of stored objects, and the encoding of a key that has every kind of character."""
    sample = "trips/Zürich 🚂 100%~.jpg"
    prefixes = {
        name: getattr(image_keys, name) for name in ("MASTERS", "HELD_MASTERS", "DERIVATIVES", "LIBRARY", "SCENES")
    }
    return {name: {"prefix": getattr(one, "prefix", one)} for name, one in prefixes.items()} | {
        "encoded key": {"of": sample, "is": image_keys.encode_key(sample)}
    }


def _list_signatures() -> Surface:
    """Return signed URLs and texts, which a signer of any language has to give."""
    document = json.loads((ROOT / "packages" / "signers" / "signing.json").read_text(encoding="utf-8"))
    texts = {f"{one['purpose']} {one['text']}": one["signature"] for one in document.get("messages", [])}
    return {one["signed"]: {} for one in document["targets"]} | texts


SURFACES: Mapping[str, Callable[[], Surface]] = {
    "URL options": _list_options,
    "signatures": _list_signatures,
    "settings": _list_settings,
    "events": _list_events,
    "metrics": _list_metrics,
    "parameters": _list_parameters,
    "outputs": _list_outputs,
    "commands": _list_commands,
    "exit codes": lambda: {one.name: int(one) for one in ExitCode},
    "error codes": _list_errors,
    "stored objects": _list_objects,
}


def read_surfaces() -> dict[str, Surface]:
    """Return all surfaces of this checkout by name, as JSON has them."""
    found: dict[str, Surface] = json.loads(json.dumps({name: read() for name, read in SURFACES.items()}))
    return found


FREE = frozenset({"signatures"})
"""Surfaces of examples: a new one needs no entry."""


def list_unexplained(before: Mapping[str, Surface], after: Mapping[str, Surface], changelog: str) -> Iterator[str]:
    """Yield what differs and is not named in code in the changelog's section [Unreleased], a line each."""
    section = changelog.partition("\n## [Unreleased]")[2].partition("\n## [")[0]
    named = " ".join(re.findall(r"`([^`]+)`", section))
    for surface in sorted(before.keys() | after.keys()):
        old, new = before.get(surface, {}), after.get(surface, {})
        for name in sorted(old.keys() | new.keys()):
            change = "is new" if name not in old else "is gone" if name not in new else "has changed"
            is_free = change == "is new" and surface in FREE
            own = re.escape(name.rpartition(".")[2])
            if old.get(name) != new.get(name) and not is_free and not re.search(rf"(?<!\w){own}(?!\w)", named):
                yield f"{surface}: {name} {change}"


def main() -> None:
    """Record the surfaces of this checkout."""
    RECORD.write_text(
        json.dumps(read_surfaces(), indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
