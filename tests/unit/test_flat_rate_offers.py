"""What CloudFront's flat-rate plans cost beside pay-as-you-go."""

from __future__ import annotations

import pytest

from bench.cost.flat_rate import Offer, find_cheapest_plan, list_offers, read_rates
from cli.flat_rate.plans import load_flat_rate_plans
from darkroom_pipeline.operations.cost_model import load_prices

PLANS = load_flat_rate_plans()
RATES = read_rates(load_prices(), 1769, "arm64")


def offers(views: float, image_kb: float = 77, miss_percent: float = 10) -> list[Offer]:
    return list_offers(PLANS, RATES, views, views * image_kb / 1e6, views * miss_percent / 100)


def cheapest(views: float, image_kb: float = 77) -> str:
    found = find_cheapest_plan(offers(views, image_kb))
    return found.label if found else ""


@pytest.mark.parametrize(
    ("views", "label"),
    [
        (1e6, "Free"),
        (1e6 + 1, "Pro"),
        (10e6, "Pro"),
        (10e6 + 1, "Business"),
        (125e6, "Business"),
        (126e6, "Premium"),
        (500e6, "Premium"),
        (501e6, "Premium (CF_PREMIUM_L2)"),
        (6e9, "Premium (CF_PREMIUM_L6)"),
        (7e9, ""),
    ],
)
def test_the_cheapest_plan_covers_requests_and_data(views: float, label: str) -> None:
    assert cheapest(views) == label


def test_data_alone_can_exceed_an_allowance() -> None:
    assert cheapest(1e6, image_kb=101) == "Pro"
    assert cheapest(10e6, image_kb=5_001) == "Premium (CF_PREMIUM_L2)"


def test_pay_as_you_go_is_free_up_to_its_free_tier() -> None:
    """A function runs twice a view, so that its two million invocations are the first to end."""
    assert offers(1e6, miss_percent=0)[1].usd == pytest.approx(0.0)
    all_of_it = offers(10e6, image_kb=100, miss_percent=0)
    assert all_of_it[1].usd == pytest.approx((20e6 - 2e6) * 0.10 / 1e6)
    usual, after = offers(50e6)[:2]
    assert usual.usd is not None
    assert after.usd == pytest.approx(usual.usd - (10e6 * 1e-6 + 2e6 * 1e-7 + 1_000 * 0.085))


@pytest.mark.parametrize(("views", "share"), [(50e6, 0.73), (500e6, 0.27)])
def test_plans_cost_less_than_pay_as_you_go_for_larger_sites(views: float, share: float) -> None:
    found = offers(views)
    plan = find_cheapest_plan(found)
    assert plan is not None
    assert plan.usd == pytest.approx((found[1].usd or 0) * share, rel=0.02)


def test_below_premium_each_miss_calls_the_function() -> None:
    by_tier = {one.label: one.usd for one in offers(10e6)}
    pro, premium = by_tier["Pro"], by_tier["Premium"]
    assert pro == pytest.approx(15 + 1e6 * RATES.miss_by_function)
    assert premium == pytest.approx(1000 + 1e6 * RATES.miss)
    assert RATES.miss_by_function > RATES.miss
