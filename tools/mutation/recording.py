"""Record which tests run which line, as a pytest plugin, in files that several runs can share."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from coverage import Coverage

from .packages import PACKAGES, ROOT, Package

FOLDER = "MUTATION_RECORDING"
"""Environment variable with the plugin's output folder."""


class Recorder:
    """Coverage with one context for each test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        include = [str(ROOT / package.folder / "*") for package in PACKAGES.values() if package.suffix == ".py"]
        self._coverage = Coverage(data_file=None, include=include, config_file=False)
        self._durations: dict[str, float] = defaultdict(float)
        self._unusable: set[str] = set()
        self._coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._coverage.switch_context(item.nodeid)
        result = yield
        self._coverage.switch_context("")
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self._durations[report.nodeid] += report.duration
        if report.outcome != "passed":
            self._unusable.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        self._coverage.stop()
        data = self._coverage.get_data()
        durations = {test: time for test, time in self._durations.items() if test not in self._unusable}
        numbers = {test: number for number, test in enumerate(durations)}
        lines = {
            str(Path(file).relative_to(ROOT)): {
                line: [numbers[test] for test in tests if test in numbers]
                for line, tests in data.contexts_by_lineno(file).items()
            }
            for file in data.measured_files()
        }
        text = json.dumps({"durations": durations, "lines": lines})
        (self._folder / f"{os.getpid()}.json").write_text(text, encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    """Start the recorder in processes that run tests."""
    config.addinivalue_line("markers", "slow: not part of the default run")
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        config.pluginmanager.register(Recorder(Path(os.environ[FOLDER])))


class Recording:
    """Durations of passed tests in seconds, and the tests of each line."""

    def __init__(self, durations: dict[str, float], lines: dict[str, dict[int, set[str]]]) -> None:
        self.durations = durations
        self.lines = lines

    @classmethod
    def merge(cls, parts: list[dict[str, Any]]) -> Recording:
        """Join the recordings of several processes."""
        durations: dict[str, float] = {}
        lines: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        for part in parts:
            durations |= part["durations"]
            tests = list(part["durations"])
            for file, by_line in part["lines"].items():
                for line, numbers in by_line.items():
                    lines[file][int(line)] |= {tests[number] for number in numbers}
        return cls(durations, lines)


def record(package: Package, workers: int, folder: Path) -> Recording:
    """Read the recording in ``folder``; run the tests of ``package`` for it if it is empty."""
    if not list(folder.glob("*.json")):
        folder.mkdir(parents=True, exist_ok=True)
        command = [
            *(sys.executable, "-m", "pytest", "-p", "tools.mutation.recording", "-p", "no:cacheprovider", "-q"),
            *("-m", "not slow", "--numprocesses", str(workers), "--dist", "loadfile", *package.tests),
        ]
        environment = os.environ | {"COVERAGE_CORE": "ctrace", FOLDER: str(folder.resolve())}
        subprocess.run(command, cwd=ROOT, env=environment, check=False)  # noqa: S603
    parts = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    if not parts:
        raise RuntimeError("no test process wrote a recording")
    return Recording.merge(parts)
