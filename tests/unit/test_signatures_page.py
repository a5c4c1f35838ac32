"""docs/reference/signatures.md has each option, each form of its values, and each rule of two options."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import pytest

from darkroom.errors import BadOption
from darkroom.plan.canonical import build_plan, options_text
from darkroom.plan.compound_types import GravityType, RedactionType
from darkroom.plan.model import DATA_FORMATS, REDACTIONS
from darkroom.plan.option_types import Choice, FileName, Flag, FlagOrWord, Integer, IntegerChoice, Value
from darkroom.plan.options import NATIVE_OPTIONS, OPTIONS_BY_NAME
from darkroom.plan.redaction import check_first_page
from tools.generated_blocks import fill
from tools.signatures_page import CONTENT, PAGE
from tools.signing_vectors import build_document

from .test_option_ranges import NATIVE

TEXT = PAGE.read_text(encoding="utf-8")
FORMS = {option.short: NATIVE[option.short][0].split() for option in NATIVE_OPTIONS}
"""Values of each option, with parts separated by ``~``."""

type Values = Mapping[str, Value]
type Pair = tuple[str, str]
"""The short name of an option and a value of it."""

IMAGE: Values = {"w": 801, "h": 601, "fit": "cover"}
DATA: Values = {"f": "json"}
"""Options in whose presence all others have an effect."""

DATA_PAIRS = {("f", name) for name in DATA_FORMATS}


def spellings() -> dict[str, str]:
    """The canonical spelling of each option, by the page's table."""
    table = TEXT.partition("<!-- spellings -->")[2].partition("<!-- /spellings -->")[0]
    found = re.findall(r"^\| (`.*?`) \| (.+) \|$", table, re.MULTILINE)
    return {name: spelling for names, spelling in found for name in re.findall(r"`(\w+)`", names)}


def rules() -> list[str]:
    """The rules of options without an effect, and the sentence about refused ones."""
    section = TEXT.partition("### Options without an effect")[2].partition("### Text")[0]
    return [" ".join(rule.split()) for rule in re.split(r"\n(?:\d+\. |\n(?=[A-Z]))", section) if rule.strip()]


def words(short: str) -> set[str]:
    """The words among the forms of an option; of ``fp~0~0``, the first part."""
    kind = OPTIONS_BY_NAME[short].type
    if isinstance(kind, RedactionType):
        return set(REDACTIONS)
    if isinstance(kind, Integer):
        return {kind.word} - {""}
    worded = isinstance(kind, Choice | IntegerChoice | Flag | FlagOrWord | GravityType)
    return {form.partition("~")[0] for form in FORMS[short]} if worded else set()


def parse(pair: Pair) -> Values:
    short, form = pair
    kind = OPTIONS_BY_NAME[short].type
    return {short: kind.parse([form] if isinstance(kind, FileName) else form.split("~"))}


def canonical(values: Values) -> dict[str, str] | None:
    """The canonical options of ``values`` by short name; None if they are refused."""
    plan = build_plan("photo.jpg", values)
    try:
        check_first_page(plan)
    except BadOption:
        return None
    found = dict(word.split("-", 1) for word in options_text(plan).split("_") if "-" in word)
    return found | {"f": plan.format}


def effect(context: Values, pair: Pair) -> dict[str, str | None]:
    """What ``pair`` changes in the canonical options of ``context``; None for an option that it removes."""
    before, after = canonical(context), canonical({**context, **parse(pair)})
    assert before is not None
    assert after is not None, pair
    return {name: after.get(name) for name in before | after if before.get(name) != after.get(name)}


def sample_effects(context: Values) -> dict[Pair, dict[str, str | None]]:
    """The effects of every format, and of each other option by one value for each set of options that it changes."""
    found: dict[object, tuple[Pair, dict[str, str | None]]] = {}
    skipped = {"preset", "s", *({"f"} & context.keys())}
    for pair in ((short, form) for short, forms in FORMS.items() for form in forms if short not in skipped):
        changes = effect(context, pair)
        found.setdefault((pair[0], changes["f"] if "f" in changes else frozenset(changes)), (pair, changes))
    return dict(found.values())


def interactions(context: Values) -> Iterator[tuple[Pair, Pair, bool]]:
    """Pairs whose effect together is not the effect of each, and whether they are refused."""
    start = canonical(context)
    assert start is not None
    effects = sample_effects(context)
    for one, other in combinations(effects, 2):
        together = canonical({**context, **parse(one), **parse(other)})
        changed = start | effects[one] | effects[other]
        if one[0] != other[0] and together != {name: value for name, value in changed.items() if value is not None}:
            yield one, other, together is None


def names(rule: str, pair: Pair) -> bool:
    """Whether ``rule`` names an option: a format with its value, any other with or without one."""
    short, form = pair
    return bool(re.search(rf"`f={form}`" if short == "f" else rf"`{short}(=[^`]*)?`", rule))


def states(rule: str, one: Pair, other: Pair, is_refused: bool) -> bool:
    """Whether ``rule`` is about two options: it names both, or removes all for a format of data."""
    if "remove all but" in rule and any(pair in DATA_PAIRS for pair in (one, other)):
        return True
    return ("refused" in rule) == is_refused and names(rule, one) and names(rule, other)


def test_the_page_is_fresh() -> None:
    assert fill(TEXT, CONTENT) == TEXT, "run `make docs`"


def test_the_page_has_every_option_and_word() -> None:
    table = spellings()
    assert set(table) == set(FORMS)
    missing = [(short, word) for short in FORMS for word in words(short) if not re.search(f"`{word}[`-]", table[short])]
    assert missing == []


@pytest.mark.parametrize("context", [IMAGE, DATA], ids=["image", "data"])
def test_the_page_has_every_rule_of_two_options(context: Values) -> None:
    found = list(interactions(context))
    assert found
    assert [case for case in found if not any(states(rule, *case) for rule in rules())] == []


def test_the_vectors_use_every_option_and_word() -> None:
    document: Any = build_document()
    used = {
        (OPTIONS_BY_NAME[name].short, str(value))
        for one in document["images"]
        for name, value in one["options"].items()
    }
    parts = {(short, part) for short, value in used for part in re.split("[,:]", value)}
    assert {short for short, _ in used} == set(FORMS) - {"exp", "s"}
    assert {(short, word) for short in FORMS for word in words(short)} - parts == set()
