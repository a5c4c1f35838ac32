"""DIT's signatures: one signature is valid for one list of parameters, and so for one plan."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkroom.errors import BadOption, DarkroomError
from darkroom.plan.model import Plan
from darkroom_dialects.common.settings import DialectSettings
from darkroom_dialects.dit import parse
from darkroom_dialects.dit.url import OPTION_MAPPINGS

SETTINGS = DialectSettings()
NAMES = sorted({name for one in OPTION_MAPPINGS if one.group.startswith("query") for name in one.names} - {"signature"})


@pytest.mark.parametrize(
    ("query", "option"),
    [
        ("height=77%26rotate%3D90%26width%3D99", "height"),
        ("flip=true%26rotate%3D90", "flip"),
        ("format=webp%26width%3D5", "format"),
        ("fit=inside%3D", "fit"),
        ("expires=20300102T120304Z%26width%3D5", "expires"),
        ("width=5&signature=ab%26width%3D5", "signature"),
        ("width=5=6", "width"),
        ("width=300px", "width"),
        ("width=300,5", "width"),
        ("height=1e3", "height"),
        ("rotate=90deg", "rotate"),
        ("rotate=90%20", "rotate"),
        ("rotate=٩٠", "rotate"),
    ],
)
def test_a_value_that_can_be_read_in_two_ways_is_refused(query: str, option: str) -> None:
    with pytest.raises(BadOption) as refusal:
        parse(f"/a.jpg?{query}", SETTINGS)
    assert refusal.value.option == option


VALUES = st.sampled_from(["", "0", "7", "90", "99", "true", "false", "webp", "inside", "fill", "20300102T120304Z"])
SEPARATED = st.lists(st.tuples(st.sampled_from(NAMES), VALUES), min_size=1, max_size=4).map(
    lambda pairs: [f"{name}={value}" for name, value in sorted(pairs)]
)


def _joins(pairs: list[str]) -> st.SearchStrategy[str]:
    """The pairs as a query: each ``&`` and ``=`` after the first ``=`` of a pair as it is, or escaped."""

    def escape(text: str, choices: list[int]) -> str:
        return "".join(
            quote(char, safe="") if char in "&=" and choices[at % len(choices)] else char
            for at, char in enumerate(text)
        )

    return st.lists(st.integers(0, 1), min_size=1, max_size=9).map(lambda choices: escape("&".join(pairs), choices))


def _outcome(query: str) -> tuple[bytes, Plan, int | None] | None:
    """The signed list and its plan; None for an error."""
    try:
        parsed = parse(f"/a.jpg?{query}&signature=ab", SETTINGS)
    except DarkroomError:
        return None
    assert parsed.claim is not None
    return parsed.claim.message, parsed.plan, parsed.expires_s


@pytest.mark.slow
@given(SEPARATED.flatmap(lambda pairs: st.tuples(_joins(pairs), _joins(pairs))))
@settings(max_examples=300, deadline=None)
def test_urls_with_different_plans_share_no_signature(queries: tuple[str, str]) -> None:
    """Of two spellings of the same characters, those that are served with the same message have the same plan."""
    one, other = map(_outcome, queries)
    if one is not None and other is not None and one[0] == other[0]:
        assert one[1:] == other[1:]
