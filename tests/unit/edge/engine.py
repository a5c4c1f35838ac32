"""The edge function in an embedded V8 that has been stripped of what CloudFront's engine lacks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from py_mini_racer import MiniRacer

import cloudfront_local
from darkroom.plan.presets import Presets
from darkroom.plan.variants import AccessMode
from darkroom_pipeline.plan.edge_settings import build_edge_entries

from .language import GLOBALS, IMPORTS, METHODS, STATICS

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
STORE = """
const cf = {kvs: () => ({
    exists: async name => Object.prototype.hasOwnProperty.call(cf.held, name),
    get: async name => {
        cf.reads.push(name);
        if (name === cf.broken) { throw new Error('not now'); }
        if (!Object.prototype.hasOwnProperty.call(cf.held, name)) { throw new Error('no such key'); }
        return cf.held[name];
    }
}), createRequestOriginGroup: group => { cf.group = group; }, held: {}, reads: [], broken: '', group: null};
"""
"""The engine's module with the key-value store, which holds ``cf.held``; reads are recorded in ``cf.reads``, the group
of origins that the function chose in ``cf.group``.

It throws for a missing key, and for ``cf.broken``.
"""
_RUN = """
let answer;
function ask(text, held) {
    cf.held = JSON.parse(held);
    cf.reads = [];
    cf.group = null;
    answer = undefined;
    const event = JSON.parse(text);
    event.request.rawQueryString = () => event.rawQueryString;
    handler(event).then(given => { answer = JSON.stringify(given); });
    return true;
}
"""


CRYPTO = (Path(cloudfront_local.__file__).parent / "crypto.js").read_text(encoding="utf-8")
"""The module ``crypto`` of the local CDN."""


def loadable(code: str, crypto: str = "const crypto = __crypto;\n") -> str:
    """``code`` as a script for engines without modules, with this store in place of the imported one.

    ``crypto`` declares the other module, if the engine has none.
    """
    return STORE + crypto + without_imports(code)


def without_imports(code: str) -> str:
    """``code`` without the statements at its start that take modules."""
    for statement in IMPORTS:
        code = code.removeprefix(statement.replace(" '", "'"))
    assert not code.startswith("import")
    return code


class EdgeEngine:
    """``code``, the minified function.

    ``entries`` are the published entries of its key-value store; without them the default settings are in force.
    """

    def __init__(self, code: str, entries: Mapping[str, str] | None = None) -> None:
        self._entries = dict(entries or {})
        self._engine = MiniRacer()
        kept = [{name: sorted(members) for name, members in table.items()} for table in (STATICS, METHODS)]
        arguments = ", ".join(map(json.dumps, [*kept, sorted(GLOBALS), NOW_S]))
        self._engine.eval(f"{_STRIP}(globalThis, {arguments})")
        self._engine.eval(CRYPTO)
        self._engine.eval("'use strict';" + loadable(code))
        self._engine.eval(_RUN)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the engine and its thread."""
        self._engine.close()

    def answer(self, event: dict[str, Any], generation: str = "") -> dict[str, Any]:
        """Return the result of ``handler`` for ``event``: a request to go on with, or a response.

        ``generation`` of findings is the value in the key-value store, if any.
        """
        held = self._entries | ({"findings": generation} if generation else {})
        self._engine.call("ask", json.dumps(event), json.dumps(held))
        answer: dict[str, Any] = json.loads(str(self._engine.eval("answer")))
        return answer

    @property
    def reads(self) -> list[str]:
        """The entries of the key-value store that were read for the last event."""
        found: list[str] = json.loads(str(self._engine.eval("JSON.stringify(cf.reads)")))
        return found

    @property
    def group(self) -> dict[str, Any] | None:
        """The group of origins that the last event chose, None for those of the behaviour."""
        found: dict[str, Any] | None = json.loads(str(self._engine.eval("JSON.stringify(cf.group)")))
        return found

    def evaluate(self, expression: str) -> object:
        """The value of a JavaScript ``expression`` beside the function's code."""
        return self._engine.eval(expression)


class Engines:
    """An engine for each pair of settings, which are published with ``presets``.

    ``code`` is the minified function.
    """

    def __init__(self, code: str, presets: Presets) -> None:
        self._code, self._presets = code, presets
        self._engines: dict[tuple[str, str, str], EdgeEngine] = {}

    def of(self, mode: str, always: str, metadata: str = "none") -> EdgeEngine:
        """The engine of a deployment with these settings."""
        settings = mode, always, metadata
        if settings not in self._engines:
            entries = build_edge_entries(AccessMode(mode), always, self._presets, metadata)
            self._engines[settings] = EdgeEngine(self._code, entries)
        return self._engines[settings]

    def close(self) -> None:
        """End all engines."""
        for engine in self._engines.values():
            engine.close()
