"""Addresses and their keys, and valid values of dialects.toml."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.errors import BadKey, BadOption, DarkroomError
from darkroom.image_keys import check_key
from darkroom.plan.presets import Presets
from darkroom_dialects.common.mapping import OptionMapping, count_supported, find_parser, index_by_name
from darkroom_dialects.common.sources import Sources
from darkroom_dialects.settings_file import load_settings, parse_settings, read_settings_file

TABLE = Sources(
    (
        ("//img.example.com/a/", "first/"),
        ("//img.example.com/", ""),
        ("https://only.example.com/", "secure/"),
        ("s3://bucket/old%20one/", "x%20y/"),
        ("local:///", ""),
    )
)
PRESETS = Presets({}, {"logo": "marks/logo.png"})


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("a.jpg", "a.jpg"),
        ("/a.jpg", "a.jpg"),
        ("a%20b.jpg?v=1#x", "a b.jpg"),
        ("http://img.example.com/b/c.jpg", "b/c.jpg"),
        ("HTTPS://IMG.Example.com/B/c.jpg", "B/c.jpg"),
        ("https:/img.example.com/c.jpg", "c.jpg"),
        ("https://img.example.com/a/c.jpg", "first/c.jpg"),
        ("https://only.example.com/c.jpg", "secure/c.jpg"),
        ("s3://bucket/old%20one/c.jpg", "x y/c.jpg"),
        ("local:///c.jpg", "c.jpg"),
        ("img.example.com/c.jpg", "img.example.com/c.jpg"),
    ],
)
def test_addresses_in_the_table(address: str, key: str) -> None:
    assert TABLE.resolve(address) == key


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("img.example.com/c.jpg", "c.jpg"),
        ("/IMG.example.com/a/c.jpg", "first/c.jpg"),
        ("only.example.com/c.jpg", "secure/c.jpg"),
        ("other.example.com/c.jpg", "other.example.com/c.jpg"),
        ("c.jpg", "c.jpg"),
        ("https://img.example.com/c.jpg", "c.jpg"),
    ],
)
def test_addresses_that_have_lost_their_scheme(address: str, key: str) -> None:
    assert TABLE.resolve(address, bare_hosts=True) == key


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("http://only.example.com/c.jpg", "'http://only.example.com'"),
        ("https://img.example.com.evil.org/c.jpg", "'https://img.example.com.evil.org'"),
        ("https://img.example.com@evil.org/c.jpg", "evil.org"),
        ("https://evil.org\\img.example.com/c.jpg", "are not configured"),
        ("s3://bucket/new/c.jpg", "'s3://bucket'"),
        ("ftp://img.example.com/c.jpg", "'ftp://img.example.com'"),
        ("data:/x", "are not configured"),
        ("https://img.example.com/a/../../c.jpg", r"or \.\."),
        ("https://img.example.com/%2e%2e/c.jpg", r"or \.\."),
        ("https://img.example.com/", "names no image"),
        ("https://img.example.com", "names no image"),
        ("//img.example.com/c.jpg", "empty segment"),
        ("c%zz.jpg", "not percent-encoded"),
        ("", "names no image"),
    ],
)
def test_addresses_that_are_no_keys(address: str, message: str) -> None:
    with pytest.raises(BadKey, match=message):
        TABLE.resolve(address)


@given(address=st.text(max_size=40), bare=st.booleans())
def test_any_text_is_a_key_or_is_refused(address: str, bare: bool) -> None:
    for text in (address, f"https://img.example.com/{address}", f"https://{address}"):
        try:
            check_key(TABLE.resolve(text, bare_hosts=bare))
        except DarkroomError as error:
            assert error.status == 400


def test_the_documents_of_this_deployment_can_be_read() -> None:
    assert parse_settings(read_settings_file(), PRESETS).watermarks == PRESETS.watermarks
    assert load_settings().imgproxy.signature_size == 32


def test_a_table_of_everything() -> None:
    text = """
        [sources]
        "//img.example.com/" = ""
        "s3://bucket/" = "old one/"
        [imgproxy]
        only_presets = true
        signature_size = 16
        base_url = "https://img.example.com/"
        presets = {sharp = "sharpen:0.7"}
        [thumbor]
        smart = "face"
    """
    settings = parse_settings(text, PRESETS)
    assert settings.sources.table == (("//img.example.com/", ""), ("s3://bucket/", "old%20one/"))
    assert settings.sources.resolve("s3://bucket/c.jpg") == "old one/c.jpg"
    assert settings.imgproxy.only_presets
    assert settings.imgproxy.presets == {"sharp": "sharpen:0.7"}
    assert settings.thumbor.smart == "face"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[iiif]", "no table 'iiif'"),
        ('[sources]\n"img.example.com" = ""', "is not like https"),
        ('[sources]\n"https://img.example.com" = ""', "is not like https"),
        ('[sources]\n"https://IMG.example.com/" = ""', "is not like https"),
        ('[sources]\n"//img.example.com/" = "old"', "not the beginning of keys"),
        ('[sources]\n"//img.example.com/" = "../"', "not the beginning of keys"),
        ('[sources]\n"//img.example.com/" = 5', "not the beginning of keys"),
        ("[imgproxy]\nkey = 'x'", "imgproxy: there is no setting 'key'"),
        ("[imgproxy]\nonly_presets = 'yes'", "only_presets must be like False"),
        ("[imgproxy]\nsignature_size = 4", "signature_size must be from 8 to 32"),
        ("[imgproxy]\nsignature_size = true", "signature_size must be"),
        ("[imgproxy]\narguments_separator = ''", "arguments_separator must be"),
        ("[imgproxy.presets]\nsharp = 5", "preset 'sharp' must have options"),
        ("[imgproxy.presets]\nsharp = 'foo:1'", "preset 'sharp': There is no option 'foo'"),
        ("[imgproxy.presets]\nsharp = 'w:1/sharpen'", "preset 'sharp'"),
        ("[imgproxy.presets]\nsharp = 'w:1/pr:none'", "preset 'sharp': pr: there is no preset 'none'"),
        ("[thumbor]\nsmart = 'cats'", "smart must be attention or face"),
    ],
)
def test_invalid_settings(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_settings(text, PRESETS)


def test_watermarks_by_address() -> None:
    settings = parse_settings('[sources]\n"//img.example.com/" = ""', PRESETS)
    assert settings.find_watermark("https://img.example.com/marks/logo.png") == "logo"
    assert settings.find_watermark("marks/logo.png") == "logo"
    with pytest.raises(BadOption, match="no watermark is configured"):
        settings.find_watermark("marks/other.png")


def test_a_table_of_coverage() -> None:
    table = (OptionMapping("a", ("b",), parse=len), OptionMapping("c", refused="it is paid for", group="paid"))
    assert index_by_name(table).keys() == {"a", "b", "c"}
    assert find_parser(index_by_name(table), "b") is len
    assert (count_supported(table), count_supported(table, "paid")) == ((1, 1), (0, 1))
    with pytest.raises(BadOption, match="c is not supported: it is paid for"):
        find_parser(index_by_name(table), "c")
