"""Tests of the benchmark's CDN: configured as the template's, with the S3 substitute as origin."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.link.process import run_link
from bench.origin.distribution import EDGE, FORWARDED, METHODS, VARY, VARY_CODE, build_distribution, read_edge_functions
from bench.origin.viewing import Viewer, open_viewer, store_image
from bench.runtime import CompetitorError
from bench.statistics import Spread
from bench.suites import origin
from tests.component.template.stack import Stack

BODY = b"a stored image"
NAME = f"12mp.jpg/_/{origin.OPTIONS}"


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    with run_link([], latency_ms=0, megabytes_per_s=1000) as url:
        yield url


@pytest.fixture(scope="module")
def who(s3_url: str) -> Iterator[Viewer]:
    with open_viewer(s3_url, None) as found:
        yield found


def test_its_distribution_is_the_templates() -> None:
    config = Stack().properties("Distribution")["DistributionConfig"]
    [group] = config["OriginGroups"]["Items"]
    default = config["DefaultCacheBehavior"]
    ours = build_distribution()
    [behaviour] = ours.behaviours
    members, statuses = ours.members(behaviour.target)
    assert behaviour.target == default["TargetOriginId"] == group["Id"]
    assert [member.id for member in members] == [item["OriginId"] for item in group["Members"]["Items"]]
    assert statuses == set(group["FailoverCriteria"]["StatusCodes"]["Items"])
    assert behaviour.methods == set(default["AllowedMethods"]) == METHODS
    assert {item["EventType"] for item in default["FunctionAssociations"]} == {"viewer-request", "viewer-response"}
    assert (behaviour.request_function, behaviour.response_function) == (EDGE, VARY)


def test_its_policies_are_the_templates() -> None:
    stack = Stack()
    forwarded = stack.properties("OriginRequestPolicy")["OriginRequestPolicyConfig"]["HeadersConfig"]["Headers"]
    cached = stack.properties("CachePolicy")["CachePolicyConfig"]
    [behaviour] = build_distribution().behaviours
    assert list(FORWARDED) == forwarded
    assert (behaviour.cache.min_ttl_s, behaviour.cache.default_ttl_s) == (cached["MinTTL"], cached["DefaultTTL"])
    assert not behaviour.cache.key.headers.takes("accept")


def test_the_function_of_vary_is_the_templates() -> None:
    theirs = str(Stack().properties("VaryFunction")["FunctionCode"])
    assert VARY_CODE.split() == theirs.split()
    assert set(read_edge_functions()) == {EDGE, VARY}


@pytest.mark.slow
def test_a_stored_image_comes_from_s3_at_first(s3_url: str, who: Viewer) -> None:
    headers = {"Content-Type": "image/webp", "Cache-Control": "public, max-age=60"}
    store_image(s3_url, f"derivatives/1/{NAME}", BODY, headers)
    seen = origin.request_copy(who, 1, BODY)
    assert seen.headers["content-type"] == "image/webp"
    assert seen.headers["x-cache"] == "Miss from cloudfront"
    assert seen.ms > 0


@pytest.mark.slow
def test_what_is_not_from_s3_or_not_the_image_is_no_answer(s3_url: str, who: Viewer) -> None:
    store_image(s3_url, f"derivatives/2/{NAME}", BODY, {"Cache-Control": "public, max-age=60"})
    with pytest.raises(CompetitorError):
        origin.request_copy(who, 2, b"another image")
    with pytest.raises(CompetitorError, match="Hit"):
        origin.request_copy(who, 2, BODY)
    with pytest.raises(CompetitorError):
        origin.request_copy(who, 3, BODY)


def test_the_figure_is_the_ratio_within_each_turn_and_its_floor_is_s3_alone() -> None:
    body = bytes(850_000)
    figure = origin.figure(Spread.of([30, 60]), Spread.of([120, 150]), body)
    assert figure.value == pytest.approx((30 / 120 + 60 / 150) / 2)
    assert (figure.least, figure.most) == (30 / 120, 60 / 150)
    assert figure.floor == pytest.approx((25 + 10) / 135)


@pytest.mark.slow
def test_without_a_peer_the_table_has_ours_alone() -> None:
    table = origin.text(Spread.of([30]), None, BODY, 1, 0.1)
    assert "| Darkroom, stored: CDN and S3 | 30 (30–30) | 1.00 |" in table
