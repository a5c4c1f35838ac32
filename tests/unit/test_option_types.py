"""Option types: parsing, formatting and error messages."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.plan.model import Crop, Gravity, Padding, Watermark
from darkroom.plan.option_types import FileName, Value, format_hundredths, parse_hundredths, split_parts
from darkroom.plan.options import (
    CANONICAL_OPTIONS,
    EXTENDED_OPTIONS,
    FINDINGS_OPTION,
    NATIVE_OPTIONS,
    OPTIONS_BY_NAME,
    RIGHTS_OPTION,
)
from darkroom.plan.presets import parse_option

from .plans import PLANNED, hundredths, url_text, values_of


@pytest.mark.parametrize("option", PLANNED, ids=lambda option: option.short)
@given(data=st.data())
def test_formatted_values_are_parsed(option: Any, data: st.DataObject) -> None:
    value = data.draw(values_of(option.type))
    spelling = option.type.format(value)
    if not isinstance(option.type, FileName):
        assert option.type.parse(split_parts(spelling)) == value
        assert parse_option(option.short, url_text(option.short, value)) == value
    assert set(spelling) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-")


@given(number=hundredths(0, 99_999))
def test_numbers_have_one_spelling(number: float) -> None:
    text = format_hundredths(number)
    assert parse_hundredths(text, 0, 99_999) == number
    assert text == repr(number).removesuffix(".0")


@pytest.mark.parametrize(
    ("short", "text", "value"),
    [
        ("w", "1", 1),
        ("w", "8192", 8192),
        ("bri", "-100", -100),
        ("bri", "100", 100),
        ("page", "0", 0),
        ("page", "9999", 9999),
        ("exp", "9999999999", 9_999_999_999),
        ("dpr", "1", 1.0),
        ("dpr", "3.50", 3.5),
        ("blur", "0.01", 0.01),
        ("blur", "100.00", 100.0),
        ("gam", "0.1", 0.1),
        ("gam", "5", 5.0),
        ("up", "1", True),
        ("up", "0", False),
        ("up", "ai", "ai"),
        ("f", "jpg", "jpeg"),
        ("f", "auto", "auto"),
        ("rot", "270", 270),
        ("bg", "abc", "aabbcc"),
        ("bg", "abcd", "aabbccdd"),
        ("bg", "ABCDEF", "abcdef"),
        ("bg", "abcdefff", "abcdef"),
        ("bg", "abcf", "aabbcc"),
        ("bg", "ffffff00", "ffffff00"),
        ("g", "southwest", Gravity("southwest")),
        ("g", "face", Gravity("face")),
        ("g", "text", Gravity("text")),
        ("g", "obj:car", Gravity("obj", label="car")),
        ("redact", "all", "all"),
        ("redact", "text,faces", "all"),
        ("redact", "plate:faces,plate", "faces-plate"),
        ("g", "fp:0:1", Gravity("fp", 0.0, 1.0)),
        ("g", "fp,0.33,0.5", Gravity("fp", 0.33, 0.5)),
        ("crop", "0,0,1,1", Crop("px", 0, 0, 1, 1)),
        ("crop", "65535,65535,65535,65535", Crop("px", 65535, 65535, 65535, 65535)),
        ("crop", "pct:0.01,99.99,99.99,0.01", Crop("pct", 0.01, 99.99, 99.99, 0.01)),
        ("pad", "0", Padding(0, 0, 0, 0)),
        ("pad", "1,2", Padding(1, 2, 1, 2)),
        ("pad", "1,2,3,4", Padding(1, 2, 3, 4)),
        ("pad", "2048", Padding(2048, 2048, 2048, 2048)),
        ("wm", "a", Watermark("a", "southeast", 100, 25)),
        ("wm", "a,north,1,100", Watermark("a", "north", 1, 100)),
        ("wm", "a" * 32, Watermark("a" * 32)),
        ("dl", "a,b:c.jpg", "a,b:c.jpg"),
        ("dl", "é" * 32, "é" * 32),
        ("preset", "a-1", "a-1"),
        ("preset", "a" * 32, "a" * 32),
        ("s", "_-" + "a" * 41, "_-" + "a" * 41),
    ],
)
def test_read(short: str, text: str, value: Value) -> None:
    read = parse_option(short, text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("short", "text"),
    [
        *[
            ("w", text)
            for text in ("", "0", "8193", "-1", "1.0", "01", "+1", " 1", "1 ", "1\n", "1e1", "٣", "1,1", "9" * 11)
        ],
        *[("bri", text) for text in ("-0", "--1", "-101", "101", "-01")],
        *[("blur", text) for text in ("", "-1", "100.01", "1.", ".5", "1.234", "00.1", "1,5", "nan", "inf", "999999")],
        *[("dpr", text) for text in ("0.5", "1.2", "4.5", "1.01")],
        *[("gam", text) for text in ("0.09", "0", "5.01")],
        *[("up", text) for text in ("", "2", "true", "-1", "00", "AI")],
        *[("fit", text) for text in ("", "Cover", "inside", "cover,cover")],
        *[("f", text) for text in ("tiff", "JPEG", "auto-avif", "jpg,png")],
        *[("rot", text) for text in ("", "45", "360", "-90", "090", "90.0")],
        *[("bg", text) for text in ("", "ab", "abcde", "abcdef0", "abcdef012", "#abc", "ggg", "ab c", "abc\n")],
        *[
            ("g", text)
            for text in ("", "fp", "fp:0.5", "fp:0:0:0", "fp:1.01:0", "fp:-1:0", "fp:0.001:0", "north:1", "faces")
        ],
        *[
            ("crop", text)
            for text in ("", "1,2,3", "1,2,3,4,5", "0,0,0,1", "0,0,1,0", "-1,0,1,1", "0,0,65536,1", "65536,0,1,1")
        ],
        *[
            ("crop", text)
            for text in ("pct:0,0,0,5", "pct:0,0,5,0", "pct:50,0,50.01,1", "pct:0,50,1,50.01", "pct:0,0,101,1")
        ],
        *[("crop", text) for text in ("1.5,0,1,1", "pct:0,0,1", "pc:0,0,1,1", "0,0,65535,65536", "0,65536,1,1")],
        *[("pad", text) for text in ("", "1,2,3", "1,2,3,4,5", "-1", "2049", "1.5", "0,2049", "1,")],
        *[
            ("wm", text)
            for text in (
                "",
                "A",
                "a b",
                "a" * 33,
                "a,middle",
                "a,north,0",
                "a,north,101",
                "a,north,1,0",
                "a,north,1,101",
            )
        ],
        *[("wm", text) for text in ("a,north,1,1,1", "a,", "a,north,", "é", ",north")],
        *[("dl", text) for text in ("", "a" * 65, "é" * 33, "a/b", "a\\b", 'a"b', "a\nb", "a\x00", "a\x7f", "a\x1fb")],
        *[("preset", text) for text in ("", "-a", "A", "a" * 33, "a_b", "a b", "a\n")],
        *[("s", text) for text in ("", "a" * 42, "a" * 44, "a" * 42 + "=", "a" * 42 + "+", "a" * 43 + "\n")],
        *[("exp", text) for text in ("0", "-1", "99999999999")],
        *[("redact", text) for text in ("", "Faces", "faces,", "faces text", "a.b", "x" * 33)],
    ],
)
def test_refuse(short: str, text: str) -> None:
    with pytest.raises(ValueError):
        parse_option(short, text)


@pytest.mark.parametrize("option", [*NATIVE_OPTIONS, FINDINGS_OPTION], ids=lambda option: option.short)
def test_a_message_has_the_allowed_values(option: Any) -> None:
    assert option.type.allowed_values
    assert option.type.allowed_values[0] not in "AEIOU"
    assert "  " not in option.type.allowed_values


def test_names_are_one_each() -> None:
    names = [name for option in NATIVE_OPTIONS for name in {option.short, option.long}]
    assert len(names) == len(set(names))
    assert OPTIONS_BY_NAME.keys() == set(names)
    ours = {option.short for option in PLANNED} - {"f"} | {"fv", "cr"}
    extended = {option.short for option in EXTENDED_OPTIONS}
    assert not extended & set(names), "an extended option has a name of its own"
    assert [option.short for option in CANONICAL_OPTIONS] == sorted(ours | extended)
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz-") for name in names), "names stand in paths"
    assert not any("-" in option.short for option in NATIVE_OPTIONS), "a dash ends the name in a path"


def test_every_field_of_a_plan_has_an_option() -> None:
    from dataclasses import fields

    from darkroom.plan.model import Plan

    assert {option.plan_field for option in (*PLANNED, FINDINGS_OPTION, RIGHTS_OPTION, *EXTENDED_OPTIONS)} == {
        field.name for field in fields(Plan)
    } - {"key"}
