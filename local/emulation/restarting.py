"""The end of a worker that has an abandoned thread.

In Lambda such a process replaces itself by way of the runtime API (:mod:`darkroom.services.restart`). MiniStack's
workers have none: they read requests from a pipe. So a worker ends after its response, and MiniStack starts another for
the next request.
"""

from __future__ import annotations

from typing import Any

_AFTER_RESPONSE = '        _real_stdout.write(json.dumps({"status": "ok", "result": result}) + "\\n")\n'
_END = """            _real_stdout.flush()
            _deadline_module = sys.modules.get("darkroom.services.deadline")
            if _deadline_module and _deadline_module.is_abandoned():
                os._exit(0)
"""


def end_workers_with_abandoned_threads(runtime: Any) -> None:
    """Patch the script that MiniStack's Python workers run; raises ValueError if it is not the expected one."""
    script = runtime._PYTHON_WORKER_SCRIPT
    line = "    " + _AFTER_RESPONSE
    if script.count(line) != 1:
        raise ValueError("the script of MiniStack's Python workers has changed")
    runtime._PYTHON_WORKER_SCRIPT = script.replace(line, line + _END)
