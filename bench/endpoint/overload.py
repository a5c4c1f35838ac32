"""Measure the goodput of the model server under three times the load that it can take: answers that are in time.

``python -m bench.endpoint.overload`` measures the capacity with a constant number of concurrent requests, then sends
requests at three times that rate, each of which leaves after ``--timeout`` seconds: without the attribute ``timeout``,
as callers did before they sent it, and with it.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ..machine import describe_processor
from ..paths import WORK
from .batching import prepare_images
from .server import ATTRIBUTES, send_images, serve

OVERLOAD = 3
TASKS = "faces,text,moderation,similarity,tags,likeness"
"""Those of the default settings."""

IMAGES = 16


@dataclass(frozen=True, slots=True)
class Outcome:
    """Rates a second: ``sent`` requests, answers ``in_time``, and images that the server ``analysed``."""

    sent: float
    in_time: float
    analysed: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.endpoint.overload", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="length of each overload")
    parser.add_argument("--timeout", type=float, default=5.0, help="seconds after which a caller leaves")
    parser.add_argument("--tasks", default=TASKS)
    options = parser.parse_args(arguments)
    images = prepare_images(IMAGES)
    with serve("capacity") as port:
        send_images(port, images[:4], options.tasks, 4)
        capacity = send_images(port, images * 2, options.tasks, 8).per_s
    print(f"{describe_processor()}; {options.tasks}; callers wait {options.timeout:g} s")
    print(f"capacity: {capacity:.2f} images/s, {capacity * 60:.0f} a minute")
    for name, attribute in (("before", ""), ("after", f";timeout={options.timeout * 1000:.0f}")):
        one = overload(name, images, options.tasks + attribute, OVERLOAD * capacity, options.seconds, options.timeout)
        print(
            f"{name}: sent {one.sent:.2f}/s, in time {one.in_time:.2f}/s ({one.in_time / capacity:.0%} of the "
            f"capacity), analysed {one.analysed:.2f}/s"
        )
    return 0


def overload(
    name: str, images: Sequence[bytes], attributes: str, per_s: float, seconds: float, timeout_s: float
) -> Outcome:
    """Send ``images`` in turn, ``per_s`` a second for ``seconds``, whatever is answered. Raises ServeError."""
    count = round(per_s * seconds)
    with serve(name) as port, ThreadPoolExecutor(round(per_s * timeout_s) + 8) as threads:
        send_images(port, images[:4], attributes.partition(";")[0], 4)
        log = WORK / f"endpoint-{name}.log"
        before = _count_answered(log.read_text(encoding="utf-8"))
        started_s = time.monotonic()

        def ask(number: int) -> bool:
            return _is_in_time(port, images[number % len(images)], attributes, timeout_s)

        waiting = [threads.submit(_at(started_s + number / per_s, ask), number) for number in range(count)]
        answered = sum(one.result() for one in waiting)
        analysed = _count_answered(log.read_text(encoding="utf-8")) - before
    return Outcome(count / seconds, answered / seconds, analysed / seconds)


def _at(when_s: float, ask: Callable[[int], bool]) -> Callable[[int], bool]:
    """Return ``ask``, to be called not before ``when_s``."""

    def wait(number: int) -> bool:
        time.sleep(max(0.0, when_s - time.monotonic()))
        return ask(number)

    return wait


def _is_in_time(port: int, image: bytes, attributes: str, timeout_s: float) -> bool:
    """Send an image; return whether findings come before the caller leaves."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    ends_s = time.monotonic() + timeout_s
    try:
        connection.request("POST", "/invocations", image, {ATTRIBUTES: f"tasks={attributes}"})
        answer = connection.getresponse()
        answer.read()
    except OSError:
        return False
    else:
        return answer.status == 200 and time.monotonic() <= ends_s
    finally:
        connection.close()


def _count_answered(log: str) -> int:
    """Count the images that the models have analysed, by the server's log."""
    lines = (json.loads(line) for line in log.splitlines() if line.startswith("{"))
    return sum(line["message"] == "answered" and line["status"] == 200 for line in lines)


if __name__ == "__main__":
    sys.exit(main())
