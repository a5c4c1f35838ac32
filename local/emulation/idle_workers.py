"""End of idle workers, as Lambda ends idle execution environments.

MiniStack 1.5.33 keeps the first worker of each function until its own end. A worker takes 60 to 600 MB.
"""

from __future__ import annotations

import time
from typing import Any


def end_idle_workers(functions: Any, runtime: Any) -> None:
    """End every worker that was not called for ``LAMBDA_WARM_TTL_SECONDS`` (five minutes), without an exception."""

    def reap(ttl: float | None = None) -> int:
        since_s = time.time() - (runtime._LOCAL_WORKER_TTL if ttl is None else ttl)
        ended: list[Any] = []
        with runtime._lock:
            for key, workers in list(runtime._workers.items()):
                idle = [one for one in workers if not one.in_use and one.last_used <= since_s]
                ended += idle
                runtime._workers[key] = [one for one in workers if one not in idle]
                if not runtime._workers[key]:
                    del runtime._workers[key]
        runtime.kill_workers(ended)
        return len(ended)

    runtime.reap_idle_workers = functions.reap_idle_workers = reap
