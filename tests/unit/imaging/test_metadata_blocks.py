"""Metadata blocks: timestamps, cameras, text."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from darkroom.imaging.formats.metadata import iptc, xmp
from darkroom.imaging.formats.metadata.image_metadata import (
    MAX_CHARACTERS,
    clean_text,
    join_make_and_model,
    parse_timestamp,
)


@pytest.mark.parametrize(
    ("text", "extra", "wanted"),
    [
        ("2024:05:06 07:08:09", {}, "2024-05-06T07:08:09"),
        ("2024:05:06 07:08:09", {"subseconds": "040 ", "offset": "-03:30"}, "2024-05-06T07:08:09.040-03:30"),
        ("2024:05:06 07:08:09", {"subseconds": "1e5", "offset": "+25:00"}, "2024-05-06T07:08:09"),
        ("2024-05-06T07:08Z", {}, "2024-05-06T07:08:00Z"),
        ("2024-05-06", {}, "2024-05-06"),
        ("0000:00:00 00:00:00", {}, ""),
        ("    :  :     :  :  ", {}, ""),
        ("2023:02:29 07:08:09", {}, ""),
        ("2024:05:06 24:00:00", {}, ""),
        ("٢٠٢٤:05:06 07:08:09", {"subseconds": "٣"}, ""),
        ("yesterday", {}, ""),
        ("", {}, ""),
    ],
)
def test_moments(text: str, extra: dict[str, str], wanted: str) -> None:
    assert parse_timestamp(text, **extra) == wanted


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("Canon", "Canon EOS R5", "Canon EOS R5"),
        ("NIKON CORPORATION", "NIKON D80", "NIKON D80"),
        ("Apple", "iPhone 13", "Apple iPhone 13"),
        ("SONY   ", "  ILCE-7\0\0", "SONY ILCE-7"),
        ("", "K-1", "K-1"),
        ("Hasselblad", "", "Hasselblad"),
        ("", "", ""),
    ],
)
def test_cameras(make: str, model: str, camera: str) -> None:
    assert join_make_and_model(make, model) == camera


def test_text_is_one_bounded_line_of_what_can_be_seen() -> None:
    assert clean_text("a\u202eb\n\tc\0d\x1b[31m\ud800") == "a b c d [31m"
    assert clean_text(["", "  ", "one", "two", "one"]) == "one; two"
    assert len(clean_text("x" * 10_000)) == MAX_CHARACTERS


@given(st.binary(max_size=400))
@example(b"\x1c\x02\x50\0\5abc")
def test_any_bytes_are_read_as_iim(body: bytes) -> None:
    iptc.parse_iptc(body)
    iptc.parse_photoshop_resources(body)
    iptc.parse_photoshop_resources(b"8BIM" + body)


@given(st.text(max_size=200))
def test_any_text_is_read_as_xmp_or_refused(text: str) -> None:
    try:
        xmp.parse_xmp(text.encode("utf-8", "surrogatepass"))
    except ValueError:
        return
