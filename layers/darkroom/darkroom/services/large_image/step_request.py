"""What the scene function is asked for: one of four actions on a scene, read from the event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ...errors import BadRun

ALL_STRIPS = -1
"""The strip that stands for all, where the source can only be read from its top."""


class StepAction(StrEnum):
    """``PLAN`` how it is cut, ``CUT`` a strip, ``BIND`` the strips, ``TELL`` ingest what became of it."""

    PLAN = "plan"
    CUT = "cut"
    ASSEMBLE = "bind"
    REPORT = "tell"


@dataclass(frozen=True, slots=True)
class StepRequest:
    """``scene`` is the id of the scene, ``key`` and ``version_id`` are those of the upload. ``strip`` is for CUT.

    ``fault``, for TELL, is what stopped the work, "" if nothing did.
    """

    action: StepAction
    scene: str
    key: str
    version_id: str
    strip: int = ALL_STRIPS
    fault: str = ""


def read_request(event: Mapping[str, Any]) -> StepRequest:
    """The request in ``event``; raises BadRun for what is none."""
    try:
        names = {name: event[name] for name in ("scene", "key", "version_id")}
        action, strip = StepAction(event["action"]), event.get("strip", ALL_STRIPS)
        fault = (event.get("stopped") or {}).get("Error", "")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadRun("This asks for nothing that can be done with a scene", detail=repr(error)) from error
    if not all(isinstance(one, str) for one in (*names.values(), fault)) or not names["scene"]:
        raise BadRun("A scene, a key, a version and a fault are texts", field="scene")
    if isinstance(strip, bool) or not isinstance(strip, int) or strip < ALL_STRIPS:
        raise BadRun("A strip is a number", field="strip")
    return StepRequest(action, strip=strip, fault=fault, **names)
