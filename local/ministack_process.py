"""The process of MiniStack, which runs on the interpreter of the functions.

MiniStack starts functions with ``sys.executable`` and its own environment variables. This process therefore runs in the
``runtime`` environment, which contains only what Lambda's runtime contains, and adds MiniStack's packages to its own
path only.

MiniStack saves its services' state at exit; SIGUSR1 saves it at once. The file ``saved`` has the time of the last save,
and ``running`` exists until the state is saved at the end. When the parent process exits, standard input ends and this
process exits too.
"""

from __future__ import annotations

import asyncio
import ctypes
import hashlib
import json
import os
import signal
import site
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TextIO

LAYERS = "/opt/"
"""The folder into which Lambda merges all layers of a function."""


SAVED, RUNNING = "saved", "running"


def _save_on_signal(save: Callable[[], object], folder: Path) -> None:
    """Save on SIGUSR1, between two requests: a handler that a signal interrupts may be changing the state."""

    def save_and_mark() -> None:
        save()
        (folder / SAVED).touch()
        _return_memory()

    def request(*_: object) -> None:
        try:
            asyncio.get_running_loop().call_soon_threadsafe(save_and_mark)
        except RuntimeError:  # before the server runs, and after it
            save_and_mark()

    signal.signal(signal.SIGUSR1, request)


def _write_at_once(persistence: Any) -> None:
    """Write the state of a service by the encoder in C, which ``json.dump`` does not use."""

    def dump(document: object, file: TextIO, **options: Any) -> None:
        file.write(json.dumps(document, **options))

    persistence.json = SimpleNamespace(**{**vars(json), "dump": dump})


def _return_memory() -> None:
    """Return freed memory to the system, where the C library can: requests of megabytes leave it scattered."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)


def _end_with_parent() -> None:
    while sys.stdin.buffer.read(4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _reserve_for_every_version(service: Any) -> None:
    """Apply a function's reserved concurrency to all of its versions and aliases.

    MiniStack 1.5.33 counts the invocations of all versions together, but reads the limit of the version, which has
    none.
    """
    own = service._reserved_concurrency

    def reserved(function: dict[str, Any], configuration: dict[str, Any]) -> Any:
        return own(service._functions.get(configuration.get("FunctionName")) or function, configuration)

    service._reserved_concurrency = reserved


def find_layer_packages(variables: Mapping[str, str], folders: Sequence[Path]) -> dict[str, str]:
    """Return a function's variables with paths of layer files replaced by their local paths.

    MiniStack 1.5.33 unpacks each layer into one of ``folders``. In Lambda the last layer that contains a file wins.
    """
    named = dict(variables)
    for name, value in variables.items():
        here = [folder / value.removeprefix(LAYERS) for folder in folders if value.startswith(LAYERS)]
        named[name] = next((str(file) for file in reversed(here) if file.exists()), value)
    return named


def _replace_layer_paths(worker: Any) -> None:
    """Start workers with :func:`find_layer_packages`. They read their variables after their layers are unpacked."""
    own = worker._spawn

    class Configuration(dict[str, Any]):
        def __init__(self, of: Any) -> None:
            super().__init__(of.config)
            self._worker = of

        def get(self, name: str, default: Any = None) -> Any:
            value = super().get(name, default)
            if name != "Environment" or not value:
                return value
            folders = sorted(path for path in Path(self._worker._tmpdir).glob("layer_*") if path.is_dir())
            return value | {"Variables": find_layer_packages(value.get("Variables", {}), folders)}

    def spawn(self: Any) -> None:
        configuration, self.config = self.config, Configuration(self)
        try:
            own(self)
        finally:
            self.config = configuration

    worker._spawn = spawn


def unpack_layers_once(runtime: Any, folder: Path) -> None:
    """Unpack each layer once into ``folder``, for all processes.

    MiniStack 1.5.33 unpacks all layers for each process, which takes hundreds of megabytes and seconds, and without the
    permissions of files, so that no program of a layer can be run.
    """
    own, lock = runtime.zipfile, threading.Lock()

    class ZipFile(own.ZipFile):  # type: ignore[name-defined,misc]
        def extractall(self, path: str) -> None:
            if not Path(path).name.startswith("layer_"):
                super().extractall(path)
                return
            content = repr([(member.filename, member.CRC) for member in self.infolist()])
            shared = folder / hashlib.sha256(content.encode()).hexdigest()
            with lock:
                if not shared.exists():
                    draft = shared.with_suffix(".new")
                    super().extractall(str(draft))
                    self._restore_modes(draft)
                    draft.rename(shared)
            for entry in shared.iterdir():
                (Path(path) / entry.name).symlink_to(entry)
            Path(self.filename).unlink()

        def _restore_modes(self, unpacked: Path) -> None:
            for member in self.infolist():
                if mode := member.external_attr >> 16 & 0o777:
                    (unpacked / member.filename).chmod(mode)

    runtime.zipfile = SimpleNamespace(**{**vars(own), "ZipFile": ZipFile})


def main(*packages: str) -> None:
    """Run MiniStack from ``packages``, its site-packages folders, until SIGTERM or the end of standard input."""
    for folder in packages:
        site.addsitedir(folder)
    from ministack import app  # type: ignore[import-not-found]
    from ministack.core import iam_actions, iam_evaluator, lambda_runtime, persistence, sigv4  # type: ignore[import-not-found]
    from ministack.services import (  # type: ignore[import-not-found]
        cloudformation,
        cloudfront,
        cloudfront_keyvaluestore,
        cloudwatch,
        cloudwatch_logs,
        dynamodb,
        eventbridge,
        iam,
        lambda_svc,
        s3,
        sqs,
        stepfunctions,
        sts,
    )

    sys.path.append(str(Path(__file__).resolve().parent.parent))
    from local.emulation import validation
    from local.emulation.install import install
    from local.emulation.permissions import RECORD, enforce_permissions, find_role
    from local.emulation.signatures import Verifier, verify_key_value_stores
    from local.emulation.simulation import simulate_all

    _reserve_for_every_version(lambda_svc)
    _replace_layer_paths(lambda_runtime.Worker)
    unpack_layers_once(lambda_runtime, Path(tempfile.gettempdir()) / "layers")
    install(
        functions=lambda_svc,
        runtime=lambda_runtime,
        cloudfront=cloudfront,
        entries=cloudfront_keyvaluestore,
        cloudwatch=cloudwatch,
        logs=cloudwatch_logs,
        queues=sqs,
        events=eventbridge,
        states=stepfunctions,
        cloudformation=cloudformation,
        objects=s3,
        sigv4=sigv4,
    )
    enforce_permissions(
        app, iam_evaluator, iam_actions, iam=iam, sts=sts, dynamodb=dynamodb, record=os.environ.get(RECORD, "")
    )
    simulate_all(iam_evaluator, iam)
    validation.validate_requests(
        app,
        lambda headers, query: find_role(iam_evaluator, app.extract_access_key_id(headers, query)),
        os.environ.get(validation.RECORD, ""),
    )
    verify_key_value_stores(app, iam_evaluator, Verifier(sigv4, os.environ))  # before the validation, as AWS does
    state = Path(os.environ["STATE_DIR"])
    state.mkdir(parents=True, exist_ok=True)
    (state / RUNNING).touch()
    _write_at_once(persistence)
    _save_on_signal(lambda: persistence.save_all(app._build_persistence_save_dict()), state)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.argv = ["ministack"]
    app.main()
    (state / SAVED).touch()
    (state / RUNNING).unlink(missing_ok=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
