"""Regions of findings that a plan refers to: faces, lines of text, and objects of a class."""

from __future__ import annotations

from ...errors import BadOption, NoInference
from ...findings import FACES, OBJECTS, TEXT, Finding, Findings, Region
from ..model import GRAVITY_TASKS, Gravity


def list_objects(finding: Finding, label: str, option: str) -> list[Region]:
    """Return the regions of the objects of the class ``label``.

    Raises BadOption for ``option`` if the model does not detect this class: a misspelled class would redact nothing.
    """
    if label not in finding.classes:
        known = ", ".join(finding.classes)
        raise BadOption(f"{option}: objects of the class {label!r} are not detected; there are {known}", option=option)
    return [found.region for found in finding.objects if found.name == label]


def list_followed_regions(gravity: Gravity, findings: Findings | None) -> list[Region]:
    """Return the regions that ``gravity`` keeps; none while they are not known.

    Raises NoInference if this deployment has no model for text or objects, and BadOption for a class that the model
    does not detect. Without a model of faces there are no regions.
    """
    task = GRAVITY_TASKS[gravity.name]
    finding = findings.found.get(task) if findings else None
    if finding is None:
        if task != FACES and findings is not None and not findings.is_awaited(task):
            raise NoInference(f"g: this deployment has no model for {task}")
        return []
    if finding.error:
        return []
    if task == OBJECTS:
        return list_objects(finding, gravity.label, "g")
    if task == TEXT:
        return [line.region for line in finding.lines if line.text]
    return [face.region for face in finding.faces]
