"""CloudFront Functions, run in an embedded V8.

The language is the engine's, which is more than CloudFront's: the project lints its function for what CloudFront lacks.
"""

from __future__ import annotations

import asyncio
import json
from typing import Protocol

from py_mini_racer import JSEvalException, JSPromise, JSPromiseError, MiniRacer

from .edge_event import Json

TIME_LIMIT_S = 1.0
"""CloudFront stops a function after about a millisecond of CPU; here a busy machine must not fail a good one."""

_RUNTIME = """
globalThis.console = {log: () => {}, error: () => {}};
globalThis.require = name => { throw new Error("the local CDN has no module '" + name + "'"); };
globalThis.__run = (text, query) => {
  const event = JSON.parse(text);
  Object.defineProperty(event.request, 'rawQueryString', {value: () => query === null ? undefined : query});
  const result = handler(event);
  return result instanceof Promise ? result.then(value => JSON.stringify(value)) : JSON.stringify(result);
};
"""


class FunctionFailed(Exception):
    """The function threw, ran too long or returned nonsense. The message is for the console, not for viewers."""


class EdgeFunction(Protocol):
    """A function at the edge."""

    async def run(self, event: Json, query: str | None) -> object:
        """The function's result for ``event``; raises FunctionFailed."""


class V8Function:
    """One published function in an engine of its own. To be made and used in one event loop."""

    def __init__(self, source: str) -> None:
        self._engine = MiniRacer()
        try:
            self._engine.eval(_RUNTIME)
            self._engine.eval(source)
        except JSEvalException as error:
            raise FunctionFailed(f"the edge function does not load: {error}") from error

    async def run(self, event: Json, query: str | None) -> object:
        """See EdgeFunction. ``query`` is what ``event.request.rawQueryString()`` answers."""
        call = f"__run({json.dumps(json.dumps(event))}, {json.dumps(query)})"
        try:
            async with asyncio.timeout(TIME_LIMIT_S):
                result = await self._engine.eval_cancelable(call)
                if isinstance(result, JSPromise):
                    result = await result
        except (JSEvalException, JSPromiseError, TimeoutError) as error:
            raise FunctionFailed(str(error) or "it ran too long") from error
        if not isinstance(result, str):
            raise FunctionFailed("the function returned nothing")
        return json.loads(result)

    def close(self) -> None:
        """End the engine and its thread."""
        self._engine.close()
