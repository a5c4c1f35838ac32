"""A pytest plugin for tests of many parameters: `make test` runs one case in ``n``, `make test-all` runs all."""

from __future__ import annotations

from collections import Counter

import pytest

MARKER = "sample(n): one case in n of the parameters runs in `make test`, the first of them included"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the other cases as slow, before those are deselected."""
    cases: Counter[str] = Counter()
    for item in items:
        if marker := item.get_closest_marker("sample"):
            test = item.nodeid.partition("[")[0]
            if cases[test] % marker.args[0]:
                item.add_marker(pytest.mark.slow)
            cases[test] += 1
