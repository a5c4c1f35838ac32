"""Division of visitors between the variants of an experiment."""

from __future__ import annotations

import uuid
from collections import Counter
from itertools import combinations, pairwise, permutations
from random import Random
from typing import Any

import pytest

from darkroom.plan.experiments import (
    HASH_MODULUS,
    MAX_VARIANTS,
    Experiment,
    assign_variant,
    is_experiments_table,
    parse_experiments,
)
from darkroom.settings import InvalidSettings, parse_settings
from darkroom_pipeline.plan.edge_settings import MAX_ENTRY_BYTES

HERO = Experiment("hero", (("wide", 50), ("tall", 30), ("square", 20)))
RANDOM = Random(22)
VISITORS = [str(uuid.UUID(int=RANDOM.getrandbits(128), version=4)) for _ in range(20_000)]


def divided(experiment: Experiment, visitors: list[str], *stopped: str) -> dict[str, str]:
    shares = experiment.divide(stopped)
    return {visitor: assign_variant(experiment.point, shares, visitor) for visitor in visitors}


@pytest.mark.parametrize(
    "visitors",
    [VISITORS, [str(number) for number in range(20_000)], [f"user-{number:08}" for number in range(20_000)]],
    ids=["random", "counted", "padded"],
)
def test_visitors_are_divided_by_the_weights(visitors: list[str]) -> None:
    counts = Counter(divided(HERO, visitors).values())
    for preset, weight in HERO.weights:
        assert counts[preset] / len(visitors) == pytest.approx(weight / 100, abs=0.015)


def test_variants_of_two_experiments_are_independent() -> None:
    one = divided(Experiment("hero", (("a", 1), ("b", 1))), VISITORS)
    other = divided(Experiment("footer", (("a", 1), ("b", 1))), VISITORS)
    pairs = Counter((one[visitor], other[visitor]) for visitor in VISITORS)
    assert all(count / len(VISITORS) == pytest.approx(0.25, abs=0.015) for count in pairs.values())
    assert len(pairs) == 4


def test_only_visitors_of_a_stopped_variant_move() -> None:
    before, after = divided(HERO, VISITORS), divided(HERO, VISITORS, "tall")
    assert all(after[visitor] == variant for visitor, variant in before.items() if variant != "tall")
    moved = Counter(after[visitor] for visitor, variant in before.items() if variant == "tall")
    assert moved["wide"] / moved.total() == pytest.approx(5 / 7, abs=0.03)
    assert set(divided(HERO, VISITORS, "wide", "tall").values()) == {"square"}


@pytest.mark.parametrize("visitor", ["", "a b", "x" * 65, "é", "a\n", "a;b"])
def test_without_a_valid_identifier_the_control_is_shown(visitor: str) -> None:
    assert assign_variant(HERO.point, HERO.divide(), visitor) == "wide"
    assert assign_variant(HERO.point, HERO.divide(["wide"]), visitor) in {"tall", "square"}


def test_shares_cover_the_range_and_fit_into_an_entry() -> None:
    weights = tuple((f"{letter * 32}", 1_000) for letter in "abcde")
    most = Experiment("x" * 32, weights, "cookie:" + "v" * 64)
    assert len(weights) == MAX_VARIANTS
    for count in range(MAX_VARIANTS):
        for chosen in combinations(most.presets, count):
            for stopped in permutations(chosen):
                shares = most.divide(stopped)
                assert shares[-1].end == HASH_MODULUS
                assert all(one.end < other.end and one.preset != other.preset for one, other in pairwise(shares))
                assert len(f"exp-{most.name}{most.format_entry(stopped)}".encode()) <= MAX_ENTRY_BYTES


def test_an_entry_has_what_the_edge_needs() -> None:
    assert HERO.format_entry() == f"visitor cookies {HERO.point} 500001 wide 800002 tall 1000003 square"
    by_header = Experiment("hero", HERO.weights, "header:x-visitor")
    assert by_header.format_entry(["tall", "square"]) == f"x-visitor headers {HERO.point} 1000003 wide"


def test_another_definition_is_another_run() -> None:
    assert HERO.digest == Experiment("hero", HERO.weights).digest
    assert HERO.digest != Experiment("hero", HERO.weights, "cookie:uid").digest
    assert HERO.digest != Experiment("hero", HERO.weights[::-1]).digest


def table(**changes: Any) -> dict[str, Any]:
    return {"hero": {"variants": {"w320": 1, "w640": 1}} | changes}


@pytest.mark.parametrize(
    "wrong",
    [
        {"1hero": table()["hero"]},
        {"Hero": table()["hero"]},
        {"hero": {}},
        {"hero": 1},
        table(variants={"w320": 1}),
        table(variants={f"w{number}": 1 for number in range(6)}),
        table(variants={"w320": 0, "w640": 1}),
        table(variants={"w320": True, "w640": 1}),
        table(variants=["w320", "w640"]),
        table(visitor="uid"),
        table(visitor="header:X-Visitor"),
        table(visitor="cookie:a b"),
        table(goal="sales"),
        {f"e{number}": table()["hero"] for number in range(21)},
        [],
    ],
)
def test_invalid_tables_are_rejected(wrong: Any) -> None:
    assert not is_experiments_table(wrong)
    with pytest.raises(InvalidSettings, match="experiments: must be a table"):
        parse_settings({"experiments": wrong})


def test_settings_hold_experiments() -> None:
    document = {"experiments": table(visitor="header:x-visitor")}
    [found] = parse_settings(document).experiments
    assert found == Experiment("hero", (("w320", 1), ("w640", 1)), "header:x-visitor")
    assert parse_experiments(document["experiments"]) == (found,)


def test_variants_must_be_presets() -> None:
    with pytest.raises(InvalidSettings, match="'hero' has variants that are no presets: other"):
        parse_settings({"experiments": table(variants={"w320": 1, "other": 1})})


def test_signed_mode_has_no_experiments() -> None:
    with pytest.raises(InvalidSettings, match="access_mode must not be signed"):
        parse_settings({"access_mode": "signed", "experiments": table()})
