"""One execution environment of Lambda: AWS's emulator and runtime client in bubblewrap, with the limits of a function.

Sources: AWS Lambda developer guide, "Working with Lambda environment variables" (names and values), "Lambda quotas"
(512 MB of ``/tmp``, 1,024 file descriptors, processes and threads), "Understanding the Lambda execution environment
lifecycle" (10 s for the init phase).
"""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.emulator import install_emulator
from local.ports import find_free_ports
from tests.waiting import HANG_S, wait_until

from .base_image import EMULATOR, PYTHON, Processor, make_base_image
from .emulation import TIMES_SLOWER, build_prefix
from .memory import Usage, find_program, limit_memory

TMP_BYTES = 512 << 20
MAX_FILES = MAX_TASKS = 1024
INIT_S = 10
ATTEMPTS = 3
TIMED_OUT = "TimedOut"
UID, GID = "993", "990"
DEVICES = ("null", "zero", "full", "random", "urandom")

VARIABLES = {
    "LANG": "en_US.UTF-8",
    "TZ": ":UTC",
    "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "LD_LIBRARY_PATH": (
        "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"
    ),
    "LAMBDA_TASK_ROOT": "/var/task",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
    "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
    "PWD": "/var/task",
    "SHLVL": "0",
}
"""Variables of every function, with Lambda's values. ``bootstrap.py`` sets PYTHONPATH, as AWS's does."""


@dataclass(frozen=True, slots=True)
class Function:
    """What Lambda knows of a function: ``code`` and ``layers`` are folders, layers in their order.

    ``variables`` are its own and those of its role and region; ``timeout_s`` and ``memory_mib`` are the template's.
    """

    name: str
    code: Path
    layers: Sequence[Path]
    variables: Mapping[str, str]
    memory_mib: int
    timeout_s: int
    handler: str = "app.handler"


@dataclass(slots=True)
class Environment:
    """A running execution environment of ``function``."""

    function: Function
    process: subprocess.Popen[bytes]
    url: str
    log_file: Path
    usage: Usage = field(init=False)

    def __post_init__(self) -> None:
        self.usage = Usage(wait_until(self._find_emulator, self.log), lambda: self.init_ms is not None)

    def _find_emulator(self) -> int | None:
        assert self.process.poll() is None, self.log()
        return find_program(self.process.pid, EMULATOR)

    def invoke(self, event: Any) -> Any:
        """Return the response to ``event``, or the error that Lambda returns instead of one, with ``errorType``.

        An event that times out is sent again: other programs may have had the processor.
        """
        for _ in range(ATTEMPTS - 1):
            response = self._invoke(event)
            if not (isinstance(response, dict) and response.get("errorType") == TIMED_OUT):
                return response
        return self._invoke(event)

    def _invoke(self, event: Any) -> Any:
        def answer() -> tuple[Any] | None:
            asked = urllib.request.Request(self.url, json.dumps(event).encode())
            try:
                with urllib.request.urlopen(asked, timeout=HANG_S + self.function.timeout_s) as response:
                    return (_read(response.read()),)
            except urllib.error.HTTPError as error:
                return (_read(error.read()),)
            except urllib.error.URLError as error:
                if isinstance(error.reason, ConnectionRefusedError) and self.process.poll() is None:
                    return None
                raise

        return wait_until(answer, self.log)[0]  # type: ignore[index]

    def log(self) -> str:
        """Return the output of the emulator and the function."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    @property
    def init_ms(self) -> float | None:
        """Return the time of the init phase, that the emulator logs; None before the first event."""
        found = re.search(r"INIT REPORT\(durationMs: ([0-9.]+)\)", self.log())
        return float(found[1]) if found else None


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:  # the emulator's own words: Task timed out after 10.00 seconds
        return {"errorType": TIMED_OUT, "errorMessage": body.decode(errors="replace")}


@contextmanager
def run_environment(function: Function, processor: Processor) -> Iterator[Environment]:
    """Run ``function`` until the context exits. The first event starts its init phase, as in Lambda.

    An emulated processor has more time and no limit of memory.
    """
    port, api = find_free_ports(2)
    if processor.is_emulated:
        function = replace(function, timeout_s=function.timeout_s * TIMES_SLOWER)
    with (
        tempfile.TemporaryDirectory() as scratch,
        nullcontext([]) if processor.is_emulated else limit_memory(function.memory_mib, MAX_TASKS) as groups,
        (Path(scratch) / "log").open("wb") as log,
    ):
        opt = merge_layers(function.layers, Path(scratch) / "opt")
        enter = "".join(f"echo $$ > {shlex.quote(str(group))}; " for group in groups)
        limits = f"ulimit -n {MAX_FILES}; ulimit -c 0; "
        command = build_command(function, processor, opt, (port, api))
        process = subprocess.Popen(
            ["/bin/sh", "-c", f'{enter}{limits}exec "$@"', "sh", *command], env={}, stdout=log, stderr=log
        )
        url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
        environment = Environment(function, process, url, Path(log.name))
        try:
            yield environment
        finally:
            environment.usage.end()
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(HANG_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def merge_layers(layers: Sequence[Path], target: Path) -> Path:
    """Merge ``layers`` into ``target``, by hard links where possible: of two files with one name the later one wins.

    Fails for a file that Lambda's user may not read, since the user of this process may own it.
    """
    target.mkdir()
    for layer in layers:
        for path in sorted(layer.rglob("*")):
            place = target / path.relative_to(layer)
            assert path.stat().st_mode & 0o004, f"{path} is not readable for everybody"
            if path.is_dir():
                place.mkdir(exist_ok=True)
                continue
            place.unlink(missing_ok=True)
            _link(path, place)
    return target


def _link(path: Path, place: Path) -> None:
    try:
        place.hardlink_to(path)
    except OSError:  # another file system
        place.symlink_to(path)


def build_command(function: Function, processor: Processor, opt: Path, ports: tuple[int, int]) -> list[str]:
    """Return the command that runs AWS's emulator and, in it, the runtime client with ``function``.

    The network is this machine's, where the local AWS engine is. The emulator is a program of this machine's processor,
    and the runtime client one of ``processor``.
    """
    image, emulator = str(make_base_image(processor)), str(install_emulator())
    files = ["--ro-bind", image, "/", "--ro-bind", str(function.code), "/var/task", "--ro-bind", str(opt), "/opt"]
    files += ["--ro-bind", emulator, f"/{EMULATOR}", "--proc", "/proc", "--size", str(TMP_BYTES), "--tmpfs", "/tmp"]
    devices = [word for name in DEVICES for word in ("--dev-bind", f"/dev/{name}", f"/dev/{name}")]
    files += ["--tmpfs", "/dev", *devices, "--remount-ro", "/dev"]
    apart = ["--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--uid", UID, "--gid", GID]
    variables = [word for pair in build_variables(function).items() for word in ("--setenv", *pair)]
    places = ["--runtime-interface-emulator-address", f"127.0.0.1:{ports[0]}"]
    places += ["--runtime-api-address", f"127.0.0.1:{ports[1]}", "--log-level", "info"]
    runtime = [f"/var/lang/bin/{PYTHON}", "/var/runtime/bootstrap.py", function.handler]
    return [
        *build_prefix(processor.machine),
        *("bwrap", "--die-with-parent", "--new-session", *apart, *files, "--chdir", "/var/task", "--clearenv"),
        *(*variables, "--", f"/{EMULATOR}", *places, *runtime),
    ]


def build_variables(function: Function) -> dict[str, str]:
    """Return Lambda's variables and those of ``function``, and no others."""
    return {
        **VARIABLES,
        "_HANDLER": function.handler,
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mib),
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(function.timeout_s),  # the emulator's
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/25/[$LATEST]0123456789abcdef0123456789abcdef",
        **function.variables,
    }
