"""Forced redaction: no request and no spelling of a key avoids it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from darkroom.errors import BadKey, BadOption, DarkroomError
from darkroom.image_keys import check_key, quote_key
from darkroom.plan.canonical import canonical_path, parse_path
from darkroom.plan.forced_options import NOTHING_FORCED, ForcedOptions
from darkroom.plan.model import DATA_FORMATS, Gravity, Plan
from darkroom.plan.native_url import parse_url
from darkroom.plan.redaction import (
    add_redaction,
    check_first_page,
    get_followed_tasks,
    get_redacted_tasks,
    merge_redactions,
    needs_findings,
)
from darkroom.plan.variants import list_variants

from .plans import KEYS, option_values, plans, url_text

RULES = ForcedOptions.parse("people/=faces,people/letters/=text,docs/=text,caf%C3%A9/=all,a%20b=faces,docs/people/=pii")
REDACTIONS = st.sampled_from(["faces", "text", "pii", "all", "plate", "faces-plate", "trafficlight"])


@pytest.mark.parametrize(
    ("key", "redact"),
    [
        ("people/a.jpg", "faces"),
        ("people/letters/a.jpg", "all"),
        ("people", ""),
        ("People/a.jpg", ""),
        ("docs/people/a.jpg", "text"),
        ("docs/a.jpg", "text"),
        ("x/people/a.jpg", ""),
        ("caf\u00e9/a.jpg", "all"),
        ("cafe\u0301/a.jpg", ""),
        ("caf\u00e8/a.jpg", ""),
        ("caf%C3%A9/a.jpg", ""),
        ("a b", "faces"),
        ("a bc/d.jpg", "faces"),
        ("a%20b", ""),
        ("a+b", ""),
    ],
)
def test_what_a_key_always_hides(key: str, redact: str) -> None:
    assert RULES.find(key).redact == redact


def test_an_empty_prefix_is_every_key() -> None:
    assert ForcedOptions.parse("=text").find("any/key").redact == "text"


def test_no_rule_hides_nothing() -> None:
    assert ForcedOptions.parse("") == NOTHING_FORCED
    assert NOTHING_FORCED.find("people/a.jpg").redact == ""


@pytest.mark.parametrize(
    "text",
    [
        *[
            "people/",
            "people/=",
            "people/=Faces",
            "people/=faces-",
            "people/=faces--a",
            "people/=a_b",
            "people/=faces,",
            ",people/=faces",
            "people/=faces, docs/=text",
        ],
        *["/people/=faces", "//=faces", "a//b=faces", "a b=faces", "caf\u00e9/=faces", "people/=faces\n", "a=b=faces"],
        *[
            "a%2fb=faces",
            "%61=faces",
            "a%2Fb=faces",
            "caf%c3%a9=faces",
            "a%=faces",
            "a%0=faces",
            "%00=faces",
            "%7F=all",
        ],
        *["'=faces", "\\=faces", "${x}=faces", "a*=faces", "a+b=faces", "people/=faces;docs/=text"],
    ],
)
def test_a_rule_that_would_hide_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="these rules are not like"):
        ForcedOptions.parse(text)


@given(key=KEYS, redact=REDACTIONS, cut=st.integers(1, 20))
def test_a_key_is_hidden_by_every_prefix_of_it(key: str, redact: str, cut: int) -> None:
    prefix = key[:cut]
    always = ForcedOptions.parse(f"{quote_key(prefix)}={redact}")
    assert always.find(key).redact == redact
    assert always.find("0" + key).redact == (redact if ("0" + key).startswith(prefix) else "")


@st.composite
def _spellings(draw: st.DrawFn, key: str) -> str:
    """``key`` in one of the many ways in which a viewer may write it in a path."""
    ways = [lambda byte: f"%{byte:02X}", lambda byte: f"%{byte:02x}"]
    plain = quote_key("".join(chr(byte) for byte in range(128)))
    written = []
    for character in key:
        as_it_is = character in plain and character != "%"
        way = draw(st.sampled_from([*ways, None] if as_it_is or ord(character) > 127 else ways))
        written.append(character if way is None else "".join(map(way, character.encode())))
    return "/" + "".join(written)


@given(data=st.data(), values=option_values(), redact=REDACTIONS, tail=KEYS)
def test_no_request_below_a_prefix_escapes(
    data: st.DataObject, values: dict[str, object], redact: str, tail: str
) -> None:
    prefix = data.draw(st.sampled_from(["people/", "caf\u00e9/", "a b/", "100%25/", "x/y.", "\u732b"]))
    always = ForcedOptions.parse(f"{quote_key(prefix)}={redact}")
    query = "&".join(f"{short}={url_text(short, value)}" for short, value in values.items() if short != "dpr")  # type: ignore[arg-type]
    try:
        request = parse_url(f"{data.draw(_spellings(prefix + tail))}?{query}")
    except DarkroomError:
        assume(False)
    assert request.plan.key == prefix + tail
    for variant in list_variants(request.plan, always=always):
        if variant.format in DATA_FORMATS:
            continue
        assert variant.redact == merge_redactions(request.plan.redact, redact)
        assert variant.animate
        if variant.page:
            with pytest.raises(BadOption, match="Only page 0"):
                parse_path(canonical_path(variant))
        else:
            assert f"redact-{variant.redact}" in canonical_path(variant)
            assert parse_path(canonical_path(variant)) == variant


def test_forced_words_fit_into_the_names_of_derivatives() -> None:
    assert ForcedOptions.parse("a/=faces-plate,b/=plate,c/=faces").find("a/x").redact == "faces-plate"
    ForcedOptions.parse("a/=faces,b/=licenseplates")
    with pytest.raises(ValueError, match=r"more than 20 characters: faces, licenseplatesxx"):
        ForcedOptions.parse("a/=faces,b/=licenseplatesxx")


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("faces", "text", "all"),
        ("faces", "pii", "faces-pii"),
        ("pii", "text", "text"),
        ("pii", "all", "all"),
        ("car", "faces-plate", "car-faces-plate"),
        ("car-text", "faces", "all-car"),
        ("all", "person", "all-person"),
    ],
)
def test_no_word_is_lost_where_redactions_meet(one: str, other: str, both: str) -> None:
    assert merge_redactions(one, other) == both == merge_redactions(other, one)


@pytest.mark.parametrize(
    ("redact", "tasks"),
    [
        ("", ()),
        ("faces", ("faces",)),
        ("pii", ("text",)),
        ("all", ("faces", "text")),
        ("all-car", ("faces", "text", "objects")),
        ("car-faces", ("objects", "faces")),
        ("car-dog", ("objects",)),
    ],
)
def test_each_word_needs_the_findings_of_its_tasks(redact: str, tasks: tuple[str, ...]) -> None:
    assert get_redacted_tasks(Plan("a", redact=redact)) == tasks


@given(plan=plans(), one=REDACTIONS | st.just(""), other=REDACTIONS | st.just(""))
def test_redactions_add_up(plan: Plan, one: str, other: str) -> None:
    both = merge_redactions(one, other)
    assert merge_redactions(other, one) == both
    assert add_redaction(add_redaction(plan, one), other) == add_redaction(plan, both)
    assert add_redaction(plan, "") == plan
    assert add_redaction(add_redaction(plan, both), both) == add_redaction(plan, both)


@pytest.mark.parametrize("name", DATA_FORMATS)
def test_data_hide_nothing(name: str) -> None:
    plan = Plan("people/a.jpg", format=name, page=2)
    assert RULES.apply(plan) == plan
    assert not needs_findings(plan)
    check_first_page(plan)


def test_what_needs_findings() -> None:
    face = Plan("a", width=1, height=1, fit="cover", gravity=Gravity("face"))
    assert needs_findings(face)
    assert needs_findings(Plan("a", redact="text"))
    assert not needs_findings(replace(face, gravity=Gravity("attention")))
    assert not needs_findings(Plan("a", width=800))


@pytest.mark.parametrize(
    ("query", "tasks"),
    [
        ("w=9&h=9&fit=cover&g=face", ("faces",)),
        ("w=9&h=9&fit=cover&g=text", ("text",)),
        ("w=9&h=9&fit=cover&g=obj:car", ("objects",)),
        ("w=9&h=9&fit=cover&g=attention", ()),
        ("w=9&h=9&g=text", ()),
        ("f=json&boxes=1", ("faces", "text", "objects")),
        ("f=thumbhash&boxes=1", ()),
        ("w=9&boxes=1", ()),
        ("redact=text", ()),
    ],
)
def test_without_followed_findings_a_response_is_provisional(query: str, tasks: tuple[str, ...]) -> None:
    plan = parse_url(f"/a.jpg?{query}").plan
    assert get_followed_tasks(plan) == tasks
    assert needs_findings(plan) is bool(tasks or plan.redact)


def test_a_later_page_is_not_redacted_but_refused() -> None:
    with pytest.raises(BadOption, match="Only page 0 can be redacted") as refusal:
        check_first_page(RULES.apply(Plan("people/a.tif", page=1)))
    assert refusal.value.option == "page"
    with pytest.raises(BadOption, match="Only page 0"):
        parse_url("/a.tif?page=1&redact=faces")
    with pytest.raises(BadOption, match="Only page 0"):
        parse_path("/a.tif/_/page-1_redact-faces.auto")
    with pytest.raises(BadOption, match="Only page 0"):
        parse_url("/a.tif?page=1&f=json&boxes=1")
    check_first_page(Plan("people/a.tif", page=1))


def test_an_impossible_key_needs_no_rule() -> None:
    for key in ("/people/a.jpg", "people//a.jpg", "./people/a.jpg", "a/../people/a.jpg"):
        with pytest.raises(BadKey):
            check_key(key)
