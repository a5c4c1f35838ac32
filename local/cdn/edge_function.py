"""CloudFront Functions, run in an embedded V8.

The language is the engine's, which is more than CloudFront's: the project lints its function for what CloudFront lacks.
"""

from __future__ import annotations

import json
from typing import Protocol

from py_mini_racer import JSEvalException, MiniRacer

from .edge_event import Json

TIME_LIMIT_S = 1.0
"""CloudFront stops a function after about a millisecond of CPU; here a busy machine must not fail a good one."""

_RUNTIME = """
globalThis.console = {log: () => {}, error: () => {}};
globalThis.require = name => { throw new Error("the local CDN has no module '" + name + "'"); };
globalThis.__run = (text, query) => {
  const event = JSON.parse(text);
  Object.defineProperty(event.request, 'rawQueryString', {value: () => query === null ? undefined : query});
  globalThis.__outcome = '{"failed": "its promise was never settled"}';
  Promise.resolve(handler(event)).then(
    value => { __outcome = JSON.stringify({value}); },
    error => { __outcome = JSON.stringify({failed: String(error)}); });
};
"""
_ASYNC_TURN = "__outcome"
"""Promises are settled between two evaluations, so the outcome is read by one of its own."""


class FunctionFailed(Exception):
    """The function threw, ran too long or returned nonsense. The message is for the console, not for viewers."""


class EdgeFunction(Protocol):
    """A function at the edge."""

    def run(self, event: Json, query: str | None) -> object:
        """The function's result for ``event``; raises FunctionFailed."""


class V8Function:
    """One published function in an engine of its own. Not to be called from several threads at once."""

    def __init__(self, source: str) -> None:
        self._engine = MiniRacer()
        try:
            self._engine.eval(_RUNTIME)
            self._engine.eval(source)
        except JSEvalException as error:
            raise FunctionFailed(f"the edge function does not load: {error}") from error

    def run(self, event: Json, query: str | None) -> object:
        """See EdgeFunction. ``query`` is what ``event.request.rawQueryString()`` answers."""
        call = f"__run({json.dumps(json.dumps(event))}, {json.dumps(query)})"
        try:
            self._engine.eval(call, timeout_sec=TIME_LIMIT_S)
            outcome = json.loads(str(self._engine.eval(_ASYNC_TURN, timeout_sec=TIME_LIMIT_S)))
        except JSEvalException as error:
            raise FunctionFailed(str(error)) from error
        if "failed" in outcome:
            raise FunctionFailed(outcome["failed"])
        return outcome.get("value")

    def close(self) -> None:
        """End the engine and its thread."""
        self._engine.close()
