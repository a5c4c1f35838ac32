"""Check the circuit breaker by table and by random walk, with the test's clock and without an endpoint."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from darkroom_analysis.inference.breaker import Circuit, CircuitEvent, CircuitSettings, CircuitState

TERMS = CircuitSettings(max_failures=3, open_s=30, max_open_s=100, probe_s=60)
NOW_S = 1000.0
CIRCUITS = {
    CircuitState.CLOSED: Circuit(failures=2),
    CircuitState.OPEN: Circuit(3, 1, NOW_S + 10),
    CircuitState.HALF_OPEN: Circuit(3, 1, NOW_S - 1),
    CircuitState.PROBING: Circuit(3, 1, NOW_S - 1, NOW_S + 5),
}


@pytest.mark.parametrize(("phase", "circuit"), CIRCUITS.items())
def test_the_state_of_a_circuit(phase: CircuitState, circuit: Circuit) -> None:
    assert circuit.state(NOW_S) is phase
    assert circuit.allows_call(NOW_S) is (phase in (CircuitState.CLOSED, CircuitState.HALF_OPEN))
    assert Circuit.from_document(circuit.to_document()) == circuit


@pytest.mark.parametrize(
    ("phase", "happening", "after"),
    [
        (CircuitState.CLOSED, CircuitEvent.REQUESTED, CircuitState.CLOSED),
        (CircuitState.CLOSED, CircuitEvent.SUCCEEDED, CircuitState.CLOSED),
        (CircuitState.CLOSED, CircuitEvent.FAILED, CircuitState.OPEN),  # the third in a row
        (CircuitState.OPEN, CircuitEvent.REQUESTED, CircuitState.OPEN),
        (CircuitState.OPEN, CircuitEvent.SUCCEEDED, CircuitState.OPEN),
        (CircuitState.OPEN, CircuitEvent.FAILED, CircuitState.OPEN),
        (CircuitState.HALF_OPEN, CircuitEvent.REQUESTED, CircuitState.PROBING),
        (CircuitState.HALF_OPEN, CircuitEvent.SUCCEEDED, CircuitState.CLOSED),
        (CircuitState.HALF_OPEN, CircuitEvent.FAILED, CircuitState.OPEN),
        (CircuitState.PROBING, CircuitEvent.REQUESTED, CircuitState.PROBING),
        (CircuitState.PROBING, CircuitEvent.SUCCEEDED, CircuitState.CLOSED),
        (CircuitState.PROBING, CircuitEvent.FAILED, CircuitState.OPEN),
    ],
)
def test_moves(phase: CircuitState, happening: CircuitEvent, after: CircuitState) -> None:
    assert CIRCUITS[phase].apply(happening, NOW_S, TERMS).state(NOW_S) is after


def test_what_failed_before_it_opened_does_not_open_it_for_longer() -> None:
    assert CIRCUITS[CircuitState.OPEN].apply(CircuitEvent.FAILED, NOW_S, TERMS) == CIRCUITS[CircuitState.OPEN]


def test_each_failed_probe_doubles_the_time_up_to_the_longest() -> None:
    circuit, now_s, waits = Circuit(failures=2), NOW_S, []
    for _ in range(4):
        circuit = circuit.apply(CircuitEvent.FAILED, now_s, TERMS)
        waits.append(circuit.opened_until_s - now_s)
        now_s = circuit.opened_until_s
        circuit = circuit.apply(CircuitEvent.REQUESTED, now_s, TERMS)
    assert waits == [30, 60, 100, 100]


def test_a_success_forgets_the_failures_before_it() -> None:
    circuit = Circuit(failures=2).apply(CircuitEvent.SUCCEEDED, NOW_S, TERMS)
    assert circuit.apply(CircuitEvent.FAILED, NOW_S, TERMS) == Circuit(failures=1)


class Workers(RuleBasedStateMachine):
    """Any number of workers that call, succeed, fail or die while time passes."""

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
        before, opened_until_s = self.circuit.state(self.now_s), self.circuit.opened_until_s
        allowed = self.circuit.allows_call(self.now_s)
        self.circuit = self.circuit.apply(CircuitEvent.REQUESTED, self.now_s, TERMS)
        if opened_until_s > self.now_s:
            assert not allowed, "a call through an open circuit"
        if before is not CircuitState.CLOSED and allowed:
            assert self.now_s >= self.probed_s + TERMS.probe_s or before is CircuitState.HALF_OPEN
            assert not self.circuit.allows_call(self.now_s), "a second probe at the same time"
            self.probed_s = self.now_s

    @rule()
    def succeed(self) -> None:
        was_open = self.circuit.state(self.now_s) is CircuitState.OPEN
        self.circuit = self.circuit.apply(CircuitEvent.SUCCEEDED, self.now_s, TERMS)
        self.failures = self.failures if was_open else 0
        assert was_open or self.circuit == Circuit()

    @rule()
    def fail(self) -> None:
        before = self.circuit.state(self.now_s)
        self.circuit = self.circuit.apply(CircuitEvent.FAILED, self.now_s, TERMS)
        if before is CircuitState.CLOSED:
            self.failures += 1
        if before in (CircuitState.HALF_OPEN, CircuitState.PROBING) or self.failures == TERMS.max_failures:
            assert self.circuit.state(self.now_s) is CircuitState.OPEN

    @invariant()
    def it_is_never_shut_for_good(self) -> None:
        assert self.circuit.opened_until_s <= self.now_s + TERMS.max_open_s
        assert self.circuit.probe_until_s <= self.now_s + TERMS.probe_s

    @invariant()
    def it_is_open_only_after_enough_failures(self) -> None:
        assert self.circuit.failures <= TERMS.max_failures
        assert (self.circuit.opened == 0) == (self.circuit.failures < TERMS.max_failures)


TestWorkers = Workers.TestCase
TestWorkers.settings = settings(stateful_step_count=40)
