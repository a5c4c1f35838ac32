"""The bill of materials of a release: CycloneDX 1.6, by the tables of docs/reference/licences.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tools import licences

_SPDX = re.compile(r"[A-Za-z0-9.+-]+(?: (?:AND|OR|WITH) [A-Za-z0-9.+-]+)*")


def write_bill(version: str) -> dict[str, Any]:
    """Return the bill of materials of this checkout as a document."""
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": _component("application", "darkroom", version, "MIT", "")},
        "components": list(_components()),
    }


def _components() -> Iterator[dict[str, Any]]:
    for name, versions, licence, places in licences.packages():
        for version in versions.split(", "):
            yield _component("library", name, version, licence, places) | {"purl": f"pkg:pypi/{name}@{version}"}
    for name, version, licence, places in licences.programs():
        purl = f"pkg:npm/{name.replace('@', '%40')}@{version}"
        yield _component("library", name, version, licence, places) | {"purl": purl}
    for one in licences.LICENCES["binary"]:
        yield _component("library", one["name"], "", one["licence"], f"within the wheel {one['package']}")
    for name, licence, origin, places in licences.models():
        yield _component("machine-learning-model", name.strip("`"), "", licence, f"{places}; from {origin}")


def _component(kind: str, name: str, version: str, licence: str, places: str) -> dict[str, Any]:
    stated = {"expression": licence} if _SPDX.fullmatch(licence) else {"license": {"name": licence}}
    found: dict[str, Any] = {"type": kind, "name": name, "licenses": [stated]}
    if version:
        found["version"] = version
    if places:
        found["properties"] = [{"name": "darkroom:in", "value": places}]
    return found
