"""The execution environment itself: a function sees in it what it sees in Lambda."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.paths import ROOT

from .base_image import LIBRARIES, Processor
from .environment import VARIABLES, Environment, Function, merge_layers, run_environment

pytestmark = pytest.mark.slow

PROBE = Path(__file__).parent / "probe"
OWN = {"AWS_REGION": "eu-central-1", "FONT_DIR": "/opt/fonts"}
RUNTIMES = {"AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_METADATA_API", "AWS_LAMBDA_METADATA_TOKEN", "PYTHONPATH"}
"""Set by the emulator and by the runtime, as in Lambda."""

CREDENTIALS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
EMULATORS = {"AWS_LAMBDA_FUNCTION_TIMEOUT"}
"""The one variable that Lambda does not have: the emulator takes the timeout from it."""


@pytest.fixture
def environment(processor: Processor) -> Iterator[Environment]:
    with run_environment(Function("probe", PROBE, [], OWN, memory_mib=512, timeout_s=60), processor) as running:
        yield running


@pytest.fixture
def seen(environment: Environment) -> dict[str, Any]:
    return dict(environment.invoke({"libraries": ["libstdc++.so.6", "libexpat.so.1", "libbz2.so.1.0"]}))


def test_the_variables_are_lambdas_and_the_functions_own(seen: dict[str, Any]) -> None:
    variables = seen["variables"]
    assert {name: variables[name] for name in (*VARIABLES, *OWN)} == {**VARIABLES, **OWN}
    reserved = {f"AWS_LAMBDA_{name}" for name in ("LOG_GROUP_NAME", "LOG_STREAM_NAME")}
    reserved |= {f"AWS_LAMBDA_FUNCTION_{name}" for name in ("NAME", "VERSION", "MEMORY_SIZE")}
    others = set(variables) - {*VARIABLES, *OWN, *RUNTIMES, *CREDENTIALS, *EMULATORS, "_X_AMZN_TRACE_ID"}
    assert others == {*reserved, "_HANDLER"}
    assert variables["PYTHONPATH"] == "/var/runtime"
    assert seen["path"] == ["/var/task", "/opt/python/lib/python3.13/site-packages", "/opt/python"]
    assert seen["memory_mb"] == "512"


def test_only_tmp_is_written_by_a_user_without_a_home(seen: dict[str, Any], processor: Processor) -> None:
    assert (seen["user"], seen["home"]) == ([993, 990], "FileNotFoundError")
    assert seen["written"] == ["1", "OSError", "OSError", "OSError"]
    assert seen["tmp_bytes"] == 512 << 20
    assert seen["devices"] == ["full", "null", "random", "urandom", "zero"]
    assert seen["queue"] in ("FileNotFoundError", "OSError"), "no semaphore without /dev/shm"
    assert seen["files"] == [1024, 1024]
    assert seen["machine"] == processor.machine


def test_python_needs_the_library_path(seen: dict[str, Any]) -> None:
    """A program that starts ``sys.executable`` has to pass LD_LIBRARY_PATH on."""
    assert seen["python"] == [127, 0]


def test_libraries_that_awss_image_lacks_are_not_there(seen: dict[str, Any]) -> None:
    assert "libexpat.so.1" not in LIBRARIES
    assert seen["libraries"] == ["", "OSError", "OSError"]


def test_memory_above_the_limit_ends_the_function(environment: Environment, processor: Processor) -> None:
    if processor.is_emulated:
        pytest.skip("the emulator's own memory is not limited")
    assert environment.invoke({"bytes": 300 << 20})["used"] == 300 << 20
    assert 300 < environment.usage.peak_mib < 400
    assert environment.init_ms is not None
    ended = environment.invoke({"bytes": 600 << 20})
    assert (ended["errorType"], "signal: killed" in ended["errorMessage"]) == ("Runtime.ExitError", True)


def test_a_function_replaces_its_process(processor: Processor, tmp_path: Path) -> None:
    """The new process finds libpython and the layers again, and answers the next event."""
    shutil.copytree(ROOT / "layers" / "darkroom" / "darkroom", tmp_path / "python" / "darkroom")
    function = Function("restarting", PROBE.with_name("restarting"), [tmp_path], OWN, memory_mib=512, timeout_s=60)
    with run_environment(function, processor) as running:
        before, after = (running.invoke({"abandon": abandon}) for abandon in (True, False))
        assert (before.get("abandoned"), after.get("abandoned")) == ("yes", "no"), running.log()
    assert before["process"] != after["process"]


def test_of_two_layers_the_later_one_wins_and_everybody_can_read_them(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name / "python").mkdir(parents=True)
        (tmp_path / name / "python" / "which.py").write_text(name)
    merged = merge_layers([tmp_path / "first", tmp_path / "second"], tmp_path / "merged")
    assert (merged / "python" / "which.py").read_text() == "second"
    assert (tmp_path / "first" / "python" / "which.py").read_text() == "first"
    (tmp_path / "second" / "python" / "which.py").chmod(stat.S_IRUSR)
    with pytest.raises(AssertionError, match="not readable for everybody"):
        merge_layers([tmp_path / "second"], tmp_path / "again")
