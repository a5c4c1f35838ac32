"""Print the source files that one request and one upload enter: ``python -m tools.trace_path``.

Starts MiniStack with the buckets, queues and table of the template. Runs ``functions/transform`` and
``functions/ingest`` in a process each: the first event warms the process up, the second one is traced. A file is
entered when one of its functions starts; imports are not counted. A change is a call or a return that crosses files.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from types import CodeType
from typing import Any

from chaos.environment import INGEST, UPLOADS, Environment, Limits
from chaos.event_source_mapping import Context, to_event
from chaos.ministack import ministack
from darkroom.plan.canonical import build_plan, canonical_path
from darkroom.signing import sign

ROOT = Path(__file__).resolve().parent.parent
SOURCES = tuple(f"{ROOT}/{folder}/" for folder in ("layers/darkroom", "layers/pipeline", "functions"))
TIMEOUT_S = 60.0
SIZE = (2400, 1600)
WIDTHS = (301, 300)
"""Width of the request that warms the process up, and of the traced one."""

WAIT_S = 20
SIGNING_KEY = "a-key-for-the-trace-of-32-characters"


class Trace:
    """Files whose functions started, in the order of their first call, and the calls that came from another file."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.changes = 0
        self._last = ""

    def start(self, code: CodeType, _offset: int) -> None:
        """Count the start of a function."""
        if code.co_name != "<module>" and code.co_filename.startswith(SOURCES):
            name = str(Path(code.co_filename).relative_to(ROOT))
            self.changes += name != self._last
            self.calls[name] += 1
            self._last = name


def record() -> Trace:
    """Record what starts in all threads of this process from now on."""
    trace, tool = Trace(), sys.monitoring.PROFILER_ID
    sys.monitoring.use_tool_id(tool, "trace_path")
    sys.monitoring.register_callback(tool, sys.monitoring.events.PY_START, trace.start)
    sys.monitoring.set_events(tool, sys.monitoring.events.PY_START)
    return trace


def handle(function: str, events: list[Any]) -> dict[str, Any]:
    """Call the handler of ``function`` with each event. Return the trace of the last call. For a process of its own."""
    sys.path.insert(0, str(ROOT / "functions" / function))
    from app import handler  # type: ignore[import-not-found,unused-ignore]

    for event in events[:-1]:
        handler(event, Context(function, TIMEOUT_S))
    trace = record()
    result = handler(events[-1], Context(function, TIMEOUT_S))
    return {"calls": dict(trace.calls), "changes": trace.changes, "result": result}


def draw_jpeg(seed: int) -> bytes:
    """Draw a JPEG with some detail. ``seed`` makes its bytes differ."""
    import io

    from PIL import Image

    image = Image.effect_mandelbrot(SIZE, (-2.0 + seed / 1000, -1.2, 0.8, 1.2), 60).convert("RGB")
    body = io.BytesIO()
    image.save(body, "JPEG", quality=90)
    return body.getvalue()


def receive(world: Environment) -> list[Any]:
    """Receive one message of ingest's queue, as Lambda does."""
    return list(
        world.queues.receive_message(
            QueueUrl=world.queue_url(INGEST),
            WaitTimeSeconds=WAIT_S,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )["Messages"]
    )


def build_request(key: str, width: int) -> dict[str, Any]:
    """Build the event of a signed request for a JPEG of ``width`` pixels, as the edge forwards it."""
    path = canonical_path(build_plan(key, {"w": str(width), "f": "jpeg"}))
    headers = {"x-darkroom-request": path, "x-darkroom-signature": sign(path, SIGNING_KEY)}
    return {"version": "2.0", "rawPath": path, "headers": headers, "requestContext": {"http": {"method": "GET"}}}


def run_child(world: Environment, function: str, events: list[Any], secret_arn: str) -> dict[str, Any]:
    """Run :func:`handle` in a process with the environment of the deployed function."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment |= world.worker_variables(world.endpoint_url, f"{function}-1")
    environment["SIGNING_KEYS_ARN"] = secret_arn
    command = [sys.executable, "-m", "tools.trace_path", "--child", function]
    done = subprocess.run(  # noqa: S603
        command, check=False, input=json.dumps(events), env=environment, cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"The {function} function failed:\n{done.stderr[-2000:]}")
    trace: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return trace


def measure() -> dict[str, dict[str, Any]]:
    """Trace one upload and one request against a MiniStack of its own."""
    with tempfile.TemporaryDirectory() as folder, ministack(Path(folder)) as url:
        return _measure(url)


def _measure(url: str) -> dict[str, dict[str, Any]]:
    world = Environment(url, Limits())
    world.build()
    events = []
    for number, key in enumerate(("first.jpg", "second.jpg")):
        world.s3.put_object(Bucket=UPLOADS, Key=key, Body=draw_jpeg(number), ContentType="image/jpeg")
        events.append(to_event(receive(world), world.queue_url(INGEST)))
    secret = world.secrets.create_secret(Name="signing-keys", SecretString=json.dumps({"current": SIGNING_KEY}))
    upload = run_child(world, "ingest", events, secret["ARN"])
    request = run_child(world, "transform", [build_request("second.jpg", width) for width in WIDTHS], secret["ARN"])
    if request["result"]["statusCode"] != 200:
        raise SystemExit(f"The request was not answered with an image: {request['result']}")
    return {"request": request, "upload": upload}


def main() -> None:
    """Print both paths, or with ``--child`` the trace of one function as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--quiet", action="store_true", help="print the totals only")
    options = parser.parse_args()
    if options.child:
        sys.stdout.write(json.dumps(handle(options.child, json.load(sys.stdin))) + "\n")
        return
    for name, trace in measure().items():
        sys.stdout.write(f"One {name} enters {len(trace['calls'])} files, with {trace['changes']} changes of file.\n")
        for file, calls in [] if options.quiet else trace["calls"].items():
            sys.stdout.write(f"  {calls:6}  {file}\n")


if __name__ == "__main__":
    main()
