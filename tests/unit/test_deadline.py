"""CPU limits: what a call returns or raises, and the call that continues."""

from __future__ import annotations

import time
from hashlib import pbkdf2_hmac
from itertools import chain, repeat
from threading import Event
from types import SimpleNamespace

import pytest

from darkroom.errors import DamagedSource, DarkroomError, TooSlow, Unavailable
from darkroom.services.deadline import INGEST, UNLIMITED, CpuLimit, Deadline, is_abandoned, limit_for_timeout
from tests.waiting import HANG_S, wait_until


def compute(cpu_s: float) -> None:
    """Use about that much CPU time in C code that releases the interpreter's lock, as a decoder does."""
    until_s = time.thread_time() + cpu_s
    while time.thread_time() < until_s:
        pbkdf2_hmac("sha256", b"", b"", 20_000)


def wait_for_abandoned() -> None:
    wait_until(lambda: not is_abandoned(), "the call ends", every_s=0.02)


def test_a_value_and_an_error_come_through() -> None:
    def fail() -> None:
        raise DamagedSource("of the call")

    assert Deadline(UNLIMITED).run(lambda: 7) == 7
    with pytest.raises(DamagedSource, match="of the call"):
        Deadline(UNLIMITED).run(fail)
    assert not is_abandoned()


def test_a_call_over_its_cpu_time_is_abandoned() -> None:
    with pytest.raises(TooSlow):
        Deadline(CpuLimit(cpu_s=0.05, wall_s=HANG_S)).run(lambda: compute(0.3))
    assert is_abandoned()
    wait_for_abandoned()


def test_calls_of_one_deadline_share_its_cpu_time() -> None:
    deadline = Deadline(CpuLimit(cpu_s=0.15, wall_s=HANG_S))
    deadline.run(lambda: compute(0.1))
    with pytest.raises(TooSlow):
        deadline.run(lambda: compute(0.3))
    wait_for_abandoned()


def test_waiting_is_no_cpu_time_and_can_be_tried_again() -> None:
    never = Event()
    with pytest.raises(Unavailable):
        Deadline(CpuLimit(cpu_s=HANG_S, wall_s=0.05)).run(never.wait)
    assert is_abandoned()
    never.set()
    wait_for_abandoned()


@pytest.mark.parametrize(("spent_s", "error"), [(8.5, TooSlow), (4.0, Unavailable)])
def test_a_call_that_computed_until_the_elapsed_limit_is_too_slow(
    spent_s: float, error: type[DarkroomError], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 10 s of CPU: a function with 1,024 MB reaches these only just before."""
    spent = chain([0.0], repeat(spent_s))
    clock = SimpleNamespace(process_time=lambda: next(spent), monotonic=time.monotonic)
    monkeypatch.setattr("darkroom.services.deadline.time", clock)
    never = Event()
    with pytest.raises(error):
        Deadline(CpuLimit(cpu_s=10.0, wall_s=0.05)).run(never.wait)
    never.set()
    wait_for_abandoned()


@pytest.mark.parametrize("timeout_s", [120.0, 600.0])
def test_the_limit_of_an_upload_is_well_below_the_timeout(timeout_s: float) -> None:
    limit = limit_for_timeout(timeout_s)
    assert limit.cpu_s < limit.wall_s <= 0.75 * timeout_s


def test_the_default_limit_of_an_upload_is_that_of_the_standard_timeout() -> None:
    assert limit_for_timeout(120.0) == INGEST
