"""Which tags imply others: those whose classes are among the others'."""

from __future__ import annotations

from collections.abc import Mapping

from cli.models.efficientnet_lite import build_labels

from ..paths import ROOT

TABLE = ROOT / "cli" / "models" / "imagenet_tags.toml"


def find_implied(tags: Mapping[str, Mapping[str, str]]) -> dict[str, frozenset[str]]:
    """Return the tags that each tag implies."""
    classes: dict[str, set[int]] = {}
    for number, line in enumerate(build_labels(tags).splitlines()):
        for name in filter(None, line.split("\t")):
            classes.setdefault(name, set()).add(number)
    return {
        name: frozenset(other for other in classes if other != name and classes[name] <= classes[other])
        for name in classes
    }
