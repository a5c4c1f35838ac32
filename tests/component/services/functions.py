"""Load the functions' modules with their own environments, as Lambda does."""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from darkroom.services import live_settings as stored

ROOT = Path(__file__).parents[3]

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Context:
    """Lambda's context of an invocation."""

    remaining_ms: int = 900_000
    aws_request_id: str = "8f1d6a0e-0c35-4a55-9a44-6a1d3b1c9f10"

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms


@dataclass(frozen=True)
class Function:
    """A loaded function."""

    handler: Any

    def invoke(self, event: Any, context: Context | None = None) -> Any:
        """Its answer, which like the event has been JSON in between."""
        return json.loads(json.dumps(self.handler(json.loads(json.dumps(event)), context or Context())))


def load(
    name: str, environment: dict[str, str], settings: Mapping[str, Any] | None = None, *, within: Path = ROOT
) -> Function:
    """Import ``<within>/functions/<name>/app.py`` again, with ``environment`` and nothing of AWS's besides.

    With ``settings`` its document has these, and is not read from the media bucket.
    """
    file = within / "functions" / name / "app.py"
    spec = importlib.util.spec_from_file_location(f"app_{name}_{next(_numbers)}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with mock.patch.dict(os.environ, kept | environment, clear=True), _document(settings):
        spec.loader.exec_module(module)
    return Function(module.handler)


def _document(settings: Mapping[str, Any] | None) -> AbstractContextManager[object]:
    if settings is None:
        return nullcontext()
    body = json.dumps({"settings": settings}).encode()
    live = stored.LiveSettings
    return mock.patch.object(stored, "LiveSettings", lambda _, observer: live(lambda _: body, observer))
