"""The pytest plugin of a mutant's process: selected tests, a limit on each one's time, and a shared MiniStack."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import Phase, settings

MINISTACK_URL = "MUTATION_MINISTACK_URL"
"""Environment variable: the MiniStack for the fixture ``ministack_url``."""

COLLECTION_S = 120.0
LEAST_TEST_S = 20.0
SLOWDOWN = 10


class Plugin:
    """Run ``tests`` in their order, each within ten times its duration; a later one ends the process."""

    def __init__(self, tests: Sequence[str], durations: Mapping[str, float]) -> None:
        self._order = {test: index for index, test in enumerate(tests)}
        self._durations = durations
        self.failed: list[str] = []
        self.passed = 0

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "slow: not part of the default run")
        signal.setitimer(signal.ITIMER_REAL, COLLECTION_S)

    def pytest_collection(self) -> None:
        """Find failing examples without shrinking them."""
        phases = (Phase.explicit, Phase.generate)
        settings.register_profile("mutation", parent=settings(), phases=phases)
        settings.load_profile("mutation")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        chosen = [item for item in items if item.nodeid in self._order]
        items[:] = sorted(chosen, key=lambda item: self._order[item.nodeid])

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        limit = max(LEAST_TEST_S, SLOWDOWN * self._durations.get(item.nodeid, 0.0))
        signal.setitimer(signal.ITIMER_REAL, limit)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid)
        elif report.when == "call":
            self.passed += 1

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> str | None:
        """Replace the fixture that starts a MiniStack."""
        url = os.environ.get(MINISTACK_URL)
        if fixturedef.argname != "ministack_url" or not url:
            return None
        fixturedef.cached_result = (url, fixturedef.cache_key(request), None)  # type: ignore[arg-type]
        return url
