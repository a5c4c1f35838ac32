"""CloudFront Functions, run in an embedded V8.

V8 supports more of the language than CloudFront: lint functions for what CloudFront lacks.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from py_mini_racer import JSEvalException, JSPromise, JSPromiseError, MiniRacer

from .edge_event import Json, Outcome

TIME_LIMIT_S = 30.0
"""CloudFront stops a function after about a millisecond of CPU; locally a busy machine must not fail a correct
function.
"""

_RUNTIME = """
globalThis.console = {log: () => {}, error: () => {}};
globalThis.require = name => { throw new Error("the local CDN has no module '" + name + "'"); };
globalThis.__values = null;
globalThis.__group = null;
globalThis.__cloudfront = {createRequestOriginGroup: group => { __group = group; }, kvs: () => {
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
  __group = null;
  const write = value => JSON.stringify({value: value, group: __group});
  Object.defineProperty(event.request, 'rawQueryString', {value: () => query === null ? undefined : query});
  const result = handler(event);
  return result instanceof Promise ? result.then(write) : write(result);
};
"""


_CRYPTO = Path(__file__).with_name("crypto.js").read_text(encoding="utf-8")

_IMPORT = re.compile(
    r"""(?:^|;)\s*import\s+([A-Za-z_$][\w$]*)\s+from\s*(['"])(cloudfront|crypto)\2(?=\s*(?:;|$))""", re.MULTILINE
)
"""V8 runs scripts without imports: the modules are constants."""


class FunctionFailed(Exception):
    """The function threw an exception, ran too long or returned an invalid result. The message is not for viewers."""


class EdgeFunction(Protocol):
    """A function at the edge."""

    async def run(self, event: Json, query: str | None) -> Outcome:
        """Return the function's result for ``event``; raises FunctionFailed."""


class V8Function:
    """A published function in its own engine, created and used in one event loop.

    ``values`` are those of the associated key-value store, None without a store.
    """

    def __init__(self, source: str, values: Mapping[str, str] | None = None) -> None:
        self._running = 0
        self._is_closed = False
        self._engine = MiniRacer()
        try:
            self._engine.eval(_RUNTIME + _CRYPTO)
            self._engine.eval(_IMPORT.sub(r";const \1 = __\3", source))
        except JSEvalException as error:
            raise FunctionFailed(f"the edge function does not load: {error}") from error
        if values is not None:
            self.hold(values)

    def hold(self, values: Mapping[str, str]) -> None:
        """Replace the values of the key-value store."""
        self._engine.eval(f"__values = JSON.parse({json.dumps(json.dumps(values))}); true")

    async def run(self, event: Json, query: str | None) -> Outcome:
        """See EdgeFunction. ``query`` is the result of ``event.request.rawQueryString()``."""
        call = f"__run({json.dumps(json.dumps(event))}, {json.dumps(query)})"
        self._running += 1
        try:
            async with asyncio.timeout(TIME_LIMIT_S):
                result = await self._engine.eval_cancelable(call)
                if isinstance(result, JSPromise):
                    result = await result
        except (JSEvalException, JSPromiseError, TimeoutError) as error:
            raise FunctionFailed(str(error) or "it ran too long") from error
        finally:
            self._running -= 1
            self._stop_if_unused()
        found = json.loads(str(result))
        if "value" not in found:
            raise FunctionFailed("the function returned nothing")
        return Outcome(found["value"], found["group"])

    def close(self) -> None:
        """Stop the engine and its thread, after the runs in progress: a deployment fails no request."""
        self._is_closed = True
        self._stop_if_unused()

    def _stop_if_unused(self) -> None:
        if self._is_closed and not self._running:
            self._engine.close()
