"""The native URL API. Most cases are in tests/cases/urls.json, which tests/unit/edge runs."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.errors import BadOption, DarkroomError, DuplicateOption, UnknownOption
from darkroom.plan.model import Plan
from darkroom.plan.native_url import NativeRequest, parse_url
from darkroom.plan.presets import Presets, load_default_presets

SIGNATURE = "a" * 43
SOME = Presets({"thumb": {"w": "100", "fit": "cover", "dpr": "2"}, "plain": {"q": "5"}}, {})


def test_a_request() -> None:
    request = parse_url(f"/a.jpg?w=801&exp=1900000000&s={SIGNATURE}")
    assert request == NativeRequest(Plan("a.jpg", width=801), SIGNATURE, 1_900_000_000, True)
    assert request.path == "/a.jpg/_/w-801.auto"


def test_what_is_not_given() -> None:
    assert parse_url("/a.jpg?w=1") == NativeRequest(Plan("a.jpg", width=1), "", None, True)


@pytest.mark.parametrize("url", ["/a?w=1&dpr=1", "/a?dpr=2", "/a?preset=thumb"])
def test_a_ratio_of_its_own_takes_no_hint(url: str) -> None:
    assert not parse_url(url, SOME).takes_ratio_hint


def test_presets_expand_and_options_override_them() -> None:
    assert parse_url("/a?preset=thumb", SOME).plan == Plan("a", width=200)
    assert parse_url("/a?preset=thumb&h=50", SOME).plan == Plan("a", width=200, height=100, fit="cover")
    assert parse_url("/a?preset=thumb&dpr=1", SOME).plan == Plan("a", width=100)
    assert parse_url("/a?preset=plain", SOME).takes_ratio_hint


def test_the_presets_of_the_deployment_are_the_default() -> None:
    name = next(iter(load_default_presets().options))
    assert parse_url(f"/a?preset={name}").plan == load_default_presets().build_plans("a")[name]


def test_an_unknown_preset_lists_known_presets() -> None:
    with pytest.raises(BadOption, match="there is no preset 'cover'; there are thumb, plain") as refusal:
        parse_url("/a?preset=cover", SOME)
    assert refusal.value.option == "preset"


MISTAKES = ["zz=1", "aa=1", "w=1", "w=2", "width=3", "h=0", "q=auto", "f=bmp", "redact=faces", "preset=no", "up=2"]


@given(pairs=st.lists(st.sampled_from(MISTAKES), max_size=6), chance=st.randoms(use_true_random=False))
def test_the_error_does_not_depend_on_the_order(pairs: list[str], chance: random.Random) -> None:
    def message(order: list[str]) -> object:
        try:
            return parse_url("/a?" + "&".join(order), SOME)
        except BadOption as error:
            return type(error), error.message.replace("'2'", "").replace("'3'", ""), error.option

    assert message(pairs) == message(chance.sample(pairs, len(pairs)))


@pytest.mark.parametrize(
    ("query", "kind", "option", "message"),
    [
        ("zz=1&w=0", UnknownOption, "zz", "There is no option 'zz'"),
        ("w=1&w=0&zz=1", UnknownOption, "zz", "There is no option 'zz'"),
        ("h=0&w=1&w=1", DuplicateOption, "w", "w was given twice"),
        ("q=0&w=0", BadOption, "w", "w must be a whole number from 1 to 8192, but is '0'"),
        ("w=" + "9" * 99, BadOption, "w", "w must be a whole number from 1 to 8192, but is '" + "9" * 40 + "...'"),
        ("w=" + "9" * 40, BadOption, "w", "w must be a whole number from 1 to 8192, but is '" + "9" * 40 + "'"),
        ("w=%C3%A9%7F%00+~", BadOption, "w", "w must be a whole number from 1 to 8192, but is '%C3%A9%7F%00 ~'"),
        ("q=Auto", BadOption, "q", "q must be a whole number from 1 to 100, or auto, but is 'Auto'"),
        ("w=auto", BadOption, "w", "w must be a whole number from 1 to 8192, but is 'auto'"),
        ("w=%zz", BadOption, "", "The query is not percent-encoded UTF-8"),
        ("%zz=1&zz=1", BadOption, "", "The query is not percent-encoded UTF-8"),
    ],
)
def test_messages(query: str, kind: type[BadOption], option: str, message: str) -> None:
    with pytest.raises(BadOption) as refusal:
        parse_url(f"/a?{query}")
    assert type(refusal.value) is kind
    assert (refusal.value.option, refusal.value.message) == (option, message)


@given(query=st.text(max_size=30))
def test_a_url_is_read_or_refused(query: str) -> None:
    try:
        parse_url(f"/a?{query}")
    except DarkroomError as error:
        assert error.status == 400
        assert error.message.isascii()
