"""Multiply amounts by prices."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samtranslator.yaml_helper import yaml_parse

from darkroom_pipeline.operations.cost_model import (
    COMPUTE,
    HOURS_A_MONTH,
    PARTS,
    SERVERLESS,
    endpoint_amounts,
    function_amounts,
    load_prices,
    serverless_amounts,
    sum_amounts,
)

ROOT = Path(__file__).parents[2]
PRICES = load_prices()
DOCUMENTED = {"ml.c6i.xlarge": 149.0, "ml.g4dn.xlarge": 538.0}
"""US dollars a month in docs/guides/image-analysis.md."""


def test_every_price_names_its_source() -> None:
    assert {price.part for price in PRICES.prices.values()} == set(PARTS)
    assert all(price.usd > 0 and "pricing" in price.page for price in PRICES.prices.values())
    assert set(COMPUTE.values()) <= PRICES.prices.keys()
    assert PRICES.read_on.year >= 2026


def test_a_known_bill() -> None:
    """A million requests of 100 ms with 1 GB on arm64, by AWS's own example: 100,000 GB-s and the requests."""
    parts = PRICES.cost(function_amounts(1024, 100 * 1_000_000, 1_000_000))
    assert parts == {
        "compute": pytest.approx(1.33334),
        "requests": pytest.approx(0.2),
        "storage": 0,
        "monitoring": 0,
        "endpoint": 0,
    }
    assert PRICES.cost(function_amounts(1024, 1e8, 0, "x86_64"))["compute"] == pytest.approx(1.66667)


def test_each_amount_falls_into_its_part() -> None:
    amounts = {"s3-puts": 1000, "s3-gb-months": 10, "dynamodb-writes": 1e6, "cdn-gb": 1, "events": 1e6}
    parts = PRICES.cost(amounts | endpoint_amounts("ml.g4dn.xlarge", 2, 24))
    assert parts == {
        "compute": 0,
        "requests": pytest.approx(0.005 + 0.625 + 0.085 + 1),
        "storage": pytest.approx(0.23),
        "monitoring": 0,
        "endpoint": pytest.approx(48 * 0.7364),
    }


def test_what_has_no_price_is_named() -> None:
    unknown = endpoint_amounts("ml.p9.large", 1, 1)
    assert PRICES.without_price(unknown | {"s3-puts": 1}) == tuple(unknown)
    assert PRICES.without_price({}) == ()
    with pytest.raises(KeyError, match="ml-p9-large"):
        PRICES.cost(endpoint_amounts("ml.p9.large", 1, 1))


def test_every_instance_type_of_the_parameter_has_a_price() -> None:
    parameters = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))["Parameters"]
    allowed = parameters["EndpointInstanceType"]["AllowedValues"]
    assert len(allowed) > 10
    unpriced = [kind for kind in allowed if PRICES.without_price(endpoint_amounts(kind, 1, 1))]
    assert unpriced == [SERVERLESS]
    assert PRICES.without_price(serverless_amounts(1)) == ()


def test_a_small_site_pays_less_for_calls_than_for_instances() -> None:
    """A thousand photographs a day, each of the CPU time that docs/explanation/performance.md measures."""
    calls = PRICES.cost(serverless_amounts(1000 * 365 / 12 * 3.03))["endpoint"]
    always = {kind: PRICES.cost(endpoint_amounts(kind, 1, HOURS_A_MONTH))["endpoint"] for kind in DOCUMENTED}
    assert always == {kind: pytest.approx(usd, abs=0.5) for kind, usd in DOCUMENTED.items()}
    assert calls == pytest.approx(7.4, abs=0.05)
    assert calls / always["ml.g4dn.xlarge"] < 0.10


def test_a_larger_instance_of_a_family_costs_more() -> None:
    hours = {name: price.usd for name, price in PRICES.prices.items() if price.part == "endpoint"}
    pairs = [(name.replace("-xlarge", f"-{size}xlarge"), name) for name in hours for size in (2, 4)]
    compared = [hours[larger] > hours[name] for larger, name in pairs if larger in hours and larger != name]
    assert len(compared) == 7
    assert all(compared)


amounts = st.dictionaries(st.sampled_from(sorted(PRICES.prices)), st.floats(0, 1e6), max_size=6)


@given(amounts, amounts)
def test_costs_add_up(one: dict[str, float], other: dict[str, float]) -> None:
    together = PRICES.cost(sum_amounts(one, other))
    apart, more = PRICES.cost(one), PRICES.cost(other)
    assert together == {part: pytest.approx(apart[part] + more[part]) for part in PARTS}


def test_a_table_with_an_unknown_part_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "prices.toml"
    table.write_text('read = 2026-01-01\n[prices.x]\nusd = 1\nper = 1\npart = "luck"\npage = "pricing"\n', "utf-8")
    with pytest.raises(ValueError, match=r"prices\.toml: x"):
        load_prices(table)
