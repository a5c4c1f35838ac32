"""A pytest plugin for tests that must run in every clone: a skip of one is a failure, unless a program is missing."""

from __future__ import annotations

from collections.abc import Generator

import pytest

MARKER = "never_skips: fails where it would skip, unless a skipif mark of it names a missing program"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and item.get_closest_marker("never_skips") and not item.get_closest_marker("skipif"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} must not skip: {report.longrepr}"
    return report
