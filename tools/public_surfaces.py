"""What users rely on, to compare a release with the last one (docs/getting-started/install.md, "Versions").

``python -m tools.public_surfaces`` records them when a version is released: in ``tests/cases/public_surfaces.json``,
and those of each extension in a file of that name in its folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
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
from extensions import Extension, list_extensions

ROOT = Path(__file__).resolve().parent.parent
FILE = "public_surfaces.json"
CHANGELOG = ROOT / "CHANGELOG.md"

type Surface = dict[str, Any]


def _list_parameters(template: Mapping[str, Any]) -> Surface:
    facts = ("Type", "Default", "AllowedValues", "AllowedPattern", "MinValue", "MaxValue")
    return {
        name: {fact: parameter[fact] for fact in facts if fact in parameter}
        for name, parameter in template["Parameters"].items()
    }


def _list_options() -> Surface:
    return {
        one.short: {"long": one.long, "values": one.type.allowed_values, "default": repr(one.default)}
        for one in NATIVE_OPTIONS
    }


def _list_settings() -> Surface:
    return {one.name: {"default": repr(one.default)} for one in list_setting_fields()}


def _list_commands(module: str, group: click.Group = app, path: str = "") -> Surface:
    """Return the commands that are defined below ``module``, with their parameters and the fields of their JSON."""
    found: Surface = {}
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found |= _list_commands(module, command, f"{path}{name} ")
        elif str(getattr(command.callback, "__module__", "")).startswith(module):
            fields = sorted(getattr(command, "output", None) or ())
            found[path + name] = {"parameters": sorted(_list_names(command.params)), "json": fields}
    return found


def _list_names(parameters: Iterable[click.Parameter]) -> Iterator[str]:
    """Yield the names of parameters that are not of all commands, and not flags of extensions."""
    flags = {f"--{one.flag}" for one in list_extensions()}
    for one in parameters:
        if not str(one.name).startswith("shared_"):
            yield from (name for name in one.opts if name not in flags)


def _list_events(folder: Path) -> Surface:
    schemas = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.schema.json")]
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


def _list_signatures(extension: Extension | None) -> Surface:
    """Return signed URLs and texts, which every signer has to give; of an extension those of its purposes."""
    document = json.loads((ROOT / "packages" / "signers" / "signing.json").read_text(encoding="utf-8"))
    others = {name for one in list_extensions() for name in one.purposes}
    texts = {
        f"{one['purpose']} {one['text']}": one["signature"]
        for one in document.get("messages", [])
        if (one["purpose"] in extension.purposes if extension else one["purpose"] not in others)
    }
    return texts if extension else {one["signed"]: {} for one in document["targets"]} | texts


def read_surfaces(extension: Extension | None = None) -> dict[str, Surface]:
    """Return the surfaces of the first stack and the command, or those of an extension, by name, as JSON has them."""
    template = read_template(extension.template if extension else ROOT / "template.yaml")
    found: dict[str, Surface] = {
        "parameters": _list_parameters(template),
        "outputs": {name: {} for name in template["Outputs"]},
        "events": _list_events(extension.folder / "docs" if extension else ROOT / "docs" / "reference" / "schemas"),
        "commands": _list_commands(f"extensions.{extension.name}." if extension else "cli."),
        "signatures": _list_signatures(extension),
    }
    if not extension:
        found |= {name: read() for name, read in _SURFACES.items()}
    surfaces: dict[str, Surface] = json.loads(json.dumps(found))
    return surfaces


_SURFACES: Mapping[str, Callable[[], Surface]] = {
    "URL options": _list_options,
    "settings": _list_settings,
    "metrics": _list_metrics,
    "options of commands": lambda: {name: {} for option in shared_options() for name in option.opts},
    "exit codes": lambda: {one.name: int(one) for one in ExitCode},
    "error codes": _list_errors,
    "stored objects": _list_objects,
}
"""Those that extensions do not have."""


def find_record(extension: Extension | None = None) -> Path:
    """Return the file with the surfaces of the last release."""
    return extension.folder / FILE if extension else ROOT / "tests" / "cases" / FILE


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
            own = re.escape(name)
            if old.get(name) != new.get(name) and not is_free and not re.search(rf"(?<!\w){own}(?!\w)", named):
                yield f"{surface}: {name} {change}"


def main() -> None:
    """Record the surfaces of this checkout."""
    for extension in (None, *list_extensions()):
        text = json.dumps(read_surfaces(extension), indent=1, sort_keys=True, ensure_ascii=False)
        find_record(extension).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
