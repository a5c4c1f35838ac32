"""The edge function in an embedded V8 that has been stripped of what CloudFront's engine lacks."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any, Self

from py_mini_racer import MiniRacer

from .language import GLOBALS, METHODS, STATICS

NOW_S = 1_800_000_000
"""The time at which the function runs here."""

_STRIP = """
(function (world, statics, methods, globals, now_s) {
    const prune = function (object, kept) {
        Object.getOwnPropertyNames(object).forEach(function (name) {
            const property = Object.getOwnPropertyDescriptor(object, name);
            if (property.configurable && typeof property.value === 'function' && kept.indexOf(name) < 0) {
                delete object[name];
            }
        });
    };
    Date.now = function () { return now_s * 1000; };
    Object.keys(methods).forEach(function (name) {
        prune(world[name].prototype, methods[name].concat('constructor'));
    });
    const kept = Object.keys(statics);
    prune(world, kept.concat(globals));
    ['Atomics', 'Intl', 'Reflect', 'WebAssembly', 'console'].forEach(function (name) { delete world[name]; });
    kept.forEach(function (name) { prune(world[name], statics[name]); });
})
"""
_RUN = "function answerJson(text) { return JSON.stringify(handler(JSON.parse(text))); }"


class EdgeEngine:
    """``code``, the minified function, with the template's parameter ``AccessMode`` filled in."""

    def __init__(self, code: str, mode: str) -> None:
        self._engine = MiniRacer()
        kept = [{name: sorted(members) for name, members in table.items()} for table in (STATICS, METHODS)]
        arguments = ", ".join(map(json.dumps, [*kept, sorted(GLOBALS), NOW_S]))
        self._engine.eval(f"{_STRIP}(globalThis, {arguments})")
        self._engine.eval("'use strict';" + code.replace("${AccessMode}", mode))
        self._engine.eval(_RUN)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._engine.close()

    def answer(self, event: dict[str, Any]) -> dict[str, Any]:
        """What ``handler`` returns for ``event``: a request to go on with, or a response."""
        answer: dict[str, Any] = json.loads(str(self._engine.call("answerJson", json.dumps(event))))
        return answer

    def evaluate(self, expression: str) -> object:
        """The value of a JavaScript ``expression`` beside the function's code."""
        return self._engine.eval(expression)
