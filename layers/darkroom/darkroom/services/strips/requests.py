"""What the scene function is asked for: one of four actions on a scene, read from the event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ...errors import BadRun

EVERY = -1
"""The strip that stands for all, where the source can only be read from its top."""


class Action(StrEnum):
    """``PLAN`` how it is cut, ``CUT`` a strip, ``BIND`` the strips, ``TELL`` ingest what became of it."""

    PLAN = "plan"
    CUT = "cut"
    BIND = "bind"
    TELL = "tell"


@dataclass(frozen=True, slots=True)
class Request:
    """``scene`` is the id of the scene, ``key`` and ``version_id`` are those of the upload. ``strip`` is for CUT.

    ``fault``, for TELL, is what stopped the work, "" if nothing did.
    """

    action: Action
    scene: str
    key: str
    version_id: str
    strip: int = EVERY
    fault: str = ""


def read_request(event: Mapping[str, Any]) -> Request:
    """The request in ``event``; raises BadRun for what is none."""
    try:
        names = {name: event[name] for name in ("scene", "key", "version_id")}
        action, strip = Action(event["action"]), event.get("strip", EVERY)
        fault = (event.get("stopped") or {}).get("Error", "")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadRun("This asks for nothing that can be done with a scene", detail=repr(error)) from error
    if not all(isinstance(one, str) for one in (*names.values(), fault)) or not names["scene"]:
        raise BadRun("A scene, a key, a version and a fault are texts", field="scene")
    if isinstance(strip, bool) or not isinstance(strip, int) or strip < EVERY:
        raise BadRun("A strip is a number", field="strip")
    return Request(action, strip=strip, fault=fault, **names)
