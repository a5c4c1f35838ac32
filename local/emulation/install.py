"""Apply all patches to MiniStack before it starts."""

from __future__ import annotations

import os
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .alarms import create_as_cloudwatch_does
from .failures import name_failures_as_lambda_does
from .idle_workers import end_idle_workers
from .invalidations import refuse_as_cloudfront_does
from .key_value_stores import delete_entries_with_store
from .layer_files import keep_layers_in_files
from .logs import collect_late_lines, read_metrics
from .mapping import end_children_of_stopped_runs, read_limits_from_input
from .metrics import Metrics, count_invocations, measure_memory, measure_queues
from .names import differ_by_region
from .nested_stacks import complete_nested_stacks
from .objects import check_copy_targets, lock_copies, name_versions
from .policies import check_policies_of_templates
from .recursion import stop_loops
from .signatures import Verifier, verify_function_urls, verify_virtual_hosts
from .throttling import refuse_as_lambda_does
from .tracing import DAEMON, answer_with_traces, make_sender, pass_on_traces, trace_invocations
from .worker_exit import end_workers_with_abandoned_threads

REPEAT_EVERY_S = 5.0


def install(
    *,
    functions: Any,
    runtime: Any,
    cloudfront: Any,
    entries: Any,
    cloudwatch: Any,
    logs: Any,
    queues: Any,
    events: Any,
    states: Any,
    cloudformation: Any,
    objects: Any,
    sigv4: Any,
) -> None:
    """Patch these modules of MiniStack, and start the threads that measure queues, memory and logs."""
    metrics = Metrics(cloudwatch)
    count_invocations(functions, metrics)
    trace_invocations(functions, make_sender(os.environ.get(DAEMON, "")))
    answer_with_traces(functions)
    verifier = Verifier(sigv4, os.environ)
    verify_function_urls(functions, verifier)
    verify_virtual_hosts(objects, verifier)
    refuse_as_lambda_does(functions)
    stop_loops(functions, queues, metrics)
    end_workers_with_abandoned_threads(runtime)
    end_idle_workers(functions, runtime)
    name_failures_as_lambda_does(functions)
    refuse_as_cloudfront_does(cloudfront, os.environ)
    read_metrics(functions, logs, metrics)
    pass_on_traces(events, queues)
    name_versions(objects, events)
    check_copy_targets(objects)
    lock_copies(objects)
    keep_layers_in_files(functions, cloudformation.provisioners, objects, Path(os.environ["STATE_DIR"]) / "layers")
    read_limits_from_input(states)
    end_children_of_stopped_runs(states)
    complete_nested_stacks(cloudformation)
    create_as_cloudwatch_does(cloudwatch, cloudfront, cloudformation.provisioners)
    delete_entries_with_store(cloudfront, cloudformation.provisioners, entries)
    differ_by_region(cloudformation.provisioners, os.environ)
    check_policies_of_templates(cloudformation.provisioners)
    repeat(lambda: measure_queues(queues, metrics))
    repeat(lambda: measure_memory(runtime, metrics))
    repeat(lambda: collect_late_lines(functions, runtime))


def repeat(task: Callable[[], None], every_s: float = REPEAT_EVERY_S) -> None:
    """Call ``look`` periodically in a thread. Exceptions are written to the log."""

    def loop() -> None:
        while True:
            time.sleep(every_s)
            try:
                task()
            except Exception:  # the next call may succeed
                traceback.print_exc()

    threading.Thread(target=loop, daemon=True).start()
