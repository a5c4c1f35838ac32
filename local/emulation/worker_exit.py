"""Exit of a worker that has an abandoned thread.

In Lambda such a process exits through the runtime API (:mod:`darkroom.services.deadline`). MiniStack's workers read
requests from a pipe instead. A worker therefore sets a flag in its response, and MiniStack stops it before the next
request.
"""

from __future__ import annotations

import time
from typing import Any

_RESPONSES = (
    '"status": "ok", "result": result',
    '"status": "error", "error": str(e), "trace": traceback.format_exc()',
)
_MARK = (
    ', "restart": bool('
    '"darkroom.services.deadline" in sys.modules and sys.modules["darkroom.services.deadline"].is_abandoned())'
)
_ENDING_S = 5.0


def end_workers_with_abandoned_threads(runtime: Any) -> None:
    """Patch MiniStack's workers and their Python script. Raises ValueError if the script has changed."""
    script = runtime._PYTHON_WORKER_SCRIPT
    for response in _RESPONSES:
        if script.count(response) != 1:
            raise ValueError("the script of MiniStack's Python workers has changed")
        script = script.replace(response, response + _MARK)
    runtime._PYTHON_WORKER_SCRIPT = script
    invoke = runtime.Worker.invoke

    def invoke_and_end(worker: Any, *given: Any, **named: Any) -> Any:
        response = invoke(worker, *given, **named)
        if response.pop("restart", False):
            process, worker._proc = worker._proc, None
            runtime._signal(process)
            runtime._collect(process, time.monotonic() + _ENDING_S)
        return response

    runtime.Worker.invoke = invoke_and_end
