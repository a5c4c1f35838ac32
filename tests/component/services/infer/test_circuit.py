"""The circuit breaker's rules, by table and by chance: no clock but the test's, and nobody to call."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from darkroom.services.infer.circuit import Circuit, Happening, Phase, Terms

TERMS = Terms(failures=3, open_s=30, longest_s=100, probe_s=60)
NOW_S = 1000.0
CIRCUITS = {
    Phase.CLOSED: Circuit(failures=2),
    Phase.OPEN: Circuit(3, 1, NOW_S + 10),
    Phase.DUE: Circuit(3, 1, NOW_S - 1),
    Phase.PROBING: Circuit(3, 1, NOW_S - 1, NOW_S + 5),
}


@pytest.mark.parametrize(("phase", "circuit"), CIRCUITS.items())
def test_a_circuit_knows_where_it_stands(phase: Phase, circuit: Circuit) -> None:
    assert circuit.phase(NOW_S) is phase
    assert circuit.lets_through(NOW_S) is (phase in (Phase.CLOSED, Phase.DUE))
    assert Circuit.read(circuit.document()) == circuit


@pytest.mark.parametrize(
    ("phase", "happening", "after"),
    [
        (Phase.CLOSED, Happening.WANTED, Phase.CLOSED),
        (Phase.CLOSED, Happening.SUCCEEDED, Phase.CLOSED),
        (Phase.CLOSED, Happening.FAILED, Phase.OPEN),  # the third in a row
        (Phase.OPEN, Happening.WANTED, Phase.OPEN),
        (Phase.OPEN, Happening.SUCCEEDED, Phase.OPEN),
        (Phase.OPEN, Happening.FAILED, Phase.OPEN),
        (Phase.DUE, Happening.WANTED, Phase.PROBING),
        (Phase.DUE, Happening.SUCCEEDED, Phase.CLOSED),
        (Phase.DUE, Happening.FAILED, Phase.OPEN),
        (Phase.PROBING, Happening.WANTED, Phase.PROBING),
        (Phase.PROBING, Happening.SUCCEEDED, Phase.CLOSED),
        (Phase.PROBING, Happening.FAILED, Phase.OPEN),
    ],
)
def test_moves(phase: Phase, happening: Happening, after: Phase) -> None:
    assert CIRCUITS[phase].after(happening, NOW_S, TERMS).phase(NOW_S) is after


def test_what_failed_before_it_opened_does_not_open_it_for_longer() -> None:
    assert CIRCUITS[Phase.OPEN].after(Happening.FAILED, NOW_S, TERMS) == CIRCUITS[Phase.OPEN]


def test_each_failed_probe_doubles_the_time_up_to_the_longest() -> None:
    circuit, now_s, waits = Circuit(failures=2), NOW_S, []
    for _ in range(4):
        circuit = circuit.after(Happening.FAILED, now_s, TERMS)
        waits.append(circuit.opened_until_s - now_s)
        now_s = circuit.opened_until_s
        circuit = circuit.after(Happening.WANTED, now_s, TERMS)
    assert waits == [30, 60, 100, 100]


def test_a_success_forgets_the_failures_before_it() -> None:
    circuit = Circuit(failures=2).after(Happening.SUCCEEDED, NOW_S, TERMS)
    assert circuit.after(Happening.FAILED, NOW_S, TERMS) == Circuit(failures=1)


class Workers(RuleBasedStateMachine):
    """Any number of workers that want to call, succeed, fail or die, while time goes by."""

    def __init__(self) -> None:
        super().__init__()
        self.circuit = Circuit()
        self.now_s = NOW_S
        self.failures = 0
        self.probed_s = float("-inf")

    @rule(seconds=st.floats(0.5, 200))
    def wait(self, seconds: float) -> None:
        self.now_s += seconds

    @rule()
    def want(self) -> None:
        before, opened_until_s = self.circuit.phase(self.now_s), self.circuit.opened_until_s
        allowed = self.circuit.lets_through(self.now_s)
        self.circuit = self.circuit.after(Happening.WANTED, self.now_s, TERMS)
        if opened_until_s > self.now_s:
            assert not allowed, "a call through an open circuit"
        if before is not Phase.CLOSED and allowed:
            assert self.now_s >= self.probed_s + TERMS.probe_s or before is Phase.DUE
            assert not self.circuit.lets_through(self.now_s), "a second probe at the same time"
            self.probed_s = self.now_s

    @rule()
    def succeed(self) -> None:
        was_open = self.circuit.phase(self.now_s) is Phase.OPEN
        self.circuit = self.circuit.after(Happening.SUCCEEDED, self.now_s, TERMS)
        self.failures = self.failures if was_open else 0
        assert was_open or self.circuit == Circuit()

    @rule()
    def fail(self) -> None:
        before = self.circuit.phase(self.now_s)
        self.circuit = self.circuit.after(Happening.FAILED, self.now_s, TERMS)
        if before is Phase.CLOSED:
            self.failures += 1
        if before in (Phase.DUE, Phase.PROBING) or self.failures == TERMS.failures:
            assert self.circuit.phase(self.now_s) is Phase.OPEN

    @invariant()
    def it_is_never_shut_for_good(self) -> None:
        assert self.circuit.opened_until_s <= self.now_s + TERMS.longest_s
        assert self.circuit.probe_until_s <= self.now_s + TERMS.probe_s

    @invariant()
    def it_is_open_only_after_enough_failures(self) -> None:
        assert self.circuit.failures <= TERMS.failures
        assert (self.circuit.opened == 0) == (self.circuit.failures < TERMS.failures)


TestWorkers = Workers.TestCase
TestWorkers.settings = settings(stateful_step_count=40)
