"""CloudFront Functions, run in an embedded V8.

The language is the engine's, which is more than CloudFront's: the project lints its function for what CloudFront lacks.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Protocol

from py_mini_racer import JSEvalException, JSPromise, JSPromiseError, MiniRacer

from .edge_event import Json

TIME_LIMIT_S = 30.0
"""CloudFront stops a function after about a millisecond of CPU; here a busy machine must not fail a good one."""

_RUNTIME = """
globalThis.console = {log: () => {}, error: () => {}};
globalThis.require = name => { throw new Error("the local CDN has no module '" + name + "'"); };
globalThis.__values = null;
globalThis.__cloudfront = {kvs: () => {
  if (__values === null) { throw new Error('no key-value store is associated with this function'); }
  const holds = name => Object.prototype.hasOwnProperty.call(__values, name);
  return {
    exists: async name => holds(name),
    get: async (name, options) => {
      if (!holds(name)) { throw new Error('KeyNotFound: ' + name); }
      const format = options && options.format || 'string';
      if (format === 'bytes') { throw new Error('the local CDN reads no bytes'); }
      return format === 'json' ? JSON.parse(__values[name]) : __values[name];
    }
  };
}};
globalThis.__run = (text, query) => {
  const event = JSON.parse(text);
  Object.defineProperty(event.request, 'rawQueryString', {value: () => query === null ? undefined : query});
  const result = handler(event);
  return result instanceof Promise ? result.then(value => JSON.stringify(value)) : JSON.stringify(result);
};
"""


_IMPORT = re.compile(r"""^\s*import\s+([A-Za-z_$][\w$]*)\s+from\s*(['"])cloudfront\2\s*;?""", re.MULTILINE)
"""The engine runs scripts, which import nothing: the one module is a constant there."""


class FunctionFailed(Exception):
    """The function threw, ran too long or returned nonsense. The message is for the console, not for viewers."""


class EdgeFunction(Protocol):
    """A function at the edge."""

    async def run(self, event: Json, query: str | None) -> object:
        """The function's result for ``event``; raises FunctionFailed."""


class V8Function:
    """One published function in an engine of its own. To be made and used in one event loop.

    ``values`` are those of the key-value store that is associated with it, None if none is.
    """

    def __init__(self, source: str, values: Mapping[str, str] | None = None) -> None:
        self._engine = MiniRacer()
        try:
            self._engine.eval(_RUNTIME)
            self._engine.eval(_IMPORT.sub(r"const \1 = __cloudfront;", source))
        except JSEvalException as error:
            raise FunctionFailed(f"the edge function does not load: {error}") from error
        if values is not None:
            self.hold(values)

    def hold(self, values: Mapping[str, str]) -> None:
        """From now on the key-value store holds ``values``."""
        self._engine.eval(f"__values = JSON.parse({json.dumps(json.dumps(values))}); true")

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
