"""Every function of every template answers its events in Lambda's execution environment, from its built layers."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from .base_image import Processor
from .conftest import PREFIX, Deployed
from .environment import INIT_S, run_environment
from .functions import FUNCTIONS, list_outcomes, read_events, summarise
from .prepared import put_before, read_effects

pytestmark = pytest.mark.slow


def test_every_function_of_every_template_is_deployed(deployed: Deployed) -> None:
    assert set(deployed.functions) == set(FUNCTIONS)


@pytest.mark.parametrize("logical_id", FUNCTIONS)
def test_a_function_answers_its_events(
    deployed: Deployed, processor: Processor, logical_id: str, record_property: Callable[[str, object], None]
) -> None:
    function = deployed.functions[logical_id]
    made = put_before(deployed.cloud, deployed.info, logical_id)
    events = {**read_events(logical_id), **deployed.events.get(logical_id, {}), **made}
    with run_environment(function, processor) as running:
        responses = {name: running.invoke(event) for name, event in events.items()}
        usage, init_ms, log = running.usage, running.init_ms or 0.0, running.log()
    row = (logical_id, processor.name, len(responses), round(init_ms), round(usage.peak_mib), function.memory_mib)
    record_property(PREFIX + "row", row)
    found = {name: summarise(response) for name, response in responses.items()}
    found |= read_effects(deployed.cloud, deployed.info, logical_id, responses)
    expected = list_outcomes(logical_id)
    wrong = [responses.get(name) for name in found if found[name] != expected.get(name)]
    assert found == expected, f"{json.dumps(wrong, indent=1)}\n{log}"
    assert usage.init_cpu_s is not None
    if not processor.is_emulated:
        assert usage.peak_mib <= function.memory_mib
        assert usage.init_cpu_s < INIT_S, "Lambda begins a longer init phase again with the first event"
