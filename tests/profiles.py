"""Hypothesis profiles, one for all property tests: ``default`` and ``thorough`` (``make test-all``)."""

from __future__ import annotations

import zlib

from hypothesis import HealthCheck, settings

FUZZ_FACTOR = 10
"""How many times the profile's examples a fuzz test takes: its examples cost milliseconds."""

KILL_STRIDE = 10
"""One call in how many a kill test interrupts by default."""


def register_profiles() -> None:
    """Register both profiles. Neither has a limit that depends on the machine's speed.

    ``default`` takes the same few examples in each run, so that a failure is caused by a change and not by chance;
    ``thorough`` draws new ones.
    """
    for name, examples, repeatable in (("default", 25, True), ("thorough", 400, False)):
        settings.register_profile(
            name,
            max_examples=examples,
            derandomize=repeatable,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        )
    settings.load_profile("default")


def is_thorough() -> bool:
    """Return whether the tests run with ``--hypothesis-profile=thorough``."""
    return settings.get_current_profile_name() == "thorough"


def select_calls(case: str, most: int) -> range:
    """Return the numbers of the calls, from 1, at which a kill test interrupts a worker.

    Every call of the thorough profile; one in :data:`KILL_STRIDE` otherwise, beginning at a number that depends on
    ``case``, so that several cases reach different ones.
    """
    stride = 1 if is_thorough() else KILL_STRIDE
    return range(1 + zlib.crc32(case.encode()) % stride, most, stride)


def fuzz_settings() -> settings:
    """Return settings with :data:`FUZZ_FACTOR` times the examples of the profile in force."""
    return settings(max_examples=FUZZ_FACTOR * settings.default.max_examples)
