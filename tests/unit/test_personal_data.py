"""Personal data in lines of text: what is found by checks, and what a redaction covers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.findings import UNSURE, TextLine
from endpoint.personal_data import mark_personal_data

CORNERS = ((0.1, 0.1), (0.9, 0.1), (0.9, 0.2), (0.1, 0.2))


def lines(*texts: str) -> list[TextLine]:
    return [TextLine(CORNERS, text, 0.9) for text in texts]


def classes(*texts: str) -> list[tuple[str, ...]]:
    return [line.personal or () for line in mark_personal_data(lines(*texts))]


def found(text: str) -> str:
    [names] = classes(text)
    return " ".join(name for name in names if name != UNSURE)


def covered(text: str) -> bool:
    return classes(text) != [()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Numbers of cards that their networks publish for tests.
        ("4111 1111 1111 1111", "card"),
        ("Visa 4012888888881881", "card"),
        ("4222222222222", "card"),
        ("5555-5555-5555-4444", "card"),
        ("2223 0031 2200 3222", "card"),
        ("3782 822463 10005", "card"),
        ("3056 9309 0259 04", "card"),
        ("3530 1113 3330 0000", "card"),
        ("6011 1111 1111 1117", "card"),
        ("6200 0000 0000 0005", "card"),
        ("Card no4111 1111 1111 1111 exp 12/27", "card"),
        ("4lll llll 1111 1111", "card"),
        ("41l1 1111 I111 11O1", ""),  # the sum is wrong
        ("4111 I111 1l11 1111", "card"),
        ("4111 1111 1111 1112", ""),
        ("1111 1111 1111 1117", ""),
        ("5105 1051 0510 5100 42", "card"),
        # IBANs of the registry's examples.
        ("IBAN: DE89 3704 0044 0532 0130 00", "iban"),
        ("IBANDE89370400440532013000", "iban"),
        ("GB29 NWBK 6016 1331 9268 19", "iban"),
        ("FR14 2004 1010 0505 0001 3M02 606", "iban"),
        ("NO93 8601 1117 947", "iban"),
        ("ch93 0076 2011 6238 5295 7", "iban"),
        ("DE89 37O4 0044 O532 0130 00", "iban"),
        ("DE88 3704 0044 0532 0130 00", ""),
        ("DE89 3704 0044 0532 0130", ""),
        ("XX89 3704 0044 0532 0130 00", ""),
        # Addresses.
        ("john.doe+spam@example.co.uk", "mail"),
        ("write to john @ example . com", "mail"),
        ("john(at)example.com", "mail"),
        (".john@example.com", ""),
        ("john..doe@example.com", ""),
        ("john@-example.com", ""),
        ("john@example", ""),
        # Telephone numbers.
        ("+49 30 1234567", "phone"),
        ("+44 (0)20 7946 0018", "phone"),
        ("0049 30 1234567", "phone"),
        ("030/1234567", "phone"),
        ("01 23 45 67 89", "phone"),
        ("01.23.45.67.89", "phone"),
        ("(415) 555-2671", "phone"),
        ("415-555-2671", "phone"),
        ("+1 415 555 2671", "phone"),
        ("Tel.: 912 345 678", "phone"),
        ("+999 123 4567", ""),
        ("211-555-2671", ""),
        ("4155552671", ""),
        ("Call 12 34", ""),
        # Number plates.
        ("B-AB 1234", "plate"),
        ("parked: HH-XY 99 since noon", "plate"),
        ("M AB 1234", "plate"),
        ("D B AB 1234", "plate"),
        ("AB12 CDE", "plate"),
        ("AB-123-CD", "plate"),
        ("1234 BCD", "plate"),
        ("12-ABC-3", "plate"),
        ("7ABC123", "plate"),
        ("WA 12345", "plate"),
        ("ZH 123456", "plate"),
        ("W 12345 A", "plate"),
        ("ABC-1234", "plate"),
        ("Kennzeichen: HH XY 9", "plate"),
        ("AI12 CDE", ""),
        ("AB01 CDE", ""),
        # Neither.
        ("01.02.2024", ""),
        ("2024-01-31 10:15", ""),
        ("Invoice 2024-000123", ""),
        ("Total 1,234.56 EUR", ""),
        ("ISBN 978-3-16-148410-0", ""),
        ("0.12345678", ""),
        ("192.168.100.200", ""),
        ("DIN A4", ""),
        ("FY 2024", ""),
        ("The quick brown fox", ""),
        ("", ""),
    ],
)
def test_what_is_personal_data(text: str, expected: str) -> None:
    assert found(text) == expected
    assert covered(text) or not expected


def test_a_line_may_have_several_classes() -> None:
    assert found("john@example.com, +49 30 1234567, DE89 3704 0044 0532 0130 00") == "iban mail phone"


@pytest.mark.parametrize(
    "parts", [("4111 1111", "1111 1111"), ("4111", "1111", "1111", "1111"), ("3782 822463", "10005")]
)
def test_a_number_may_continue_in_the_next_line(parts: tuple[str, ...]) -> None:
    assert classes("before", *parts, "after") == [(), *[("card",)] * len(parts), ()]


def test_an_account_may_continue_in_the_next_line() -> None:
    assert classes("DE89 3704 0044", "0532 0130 00") == [("iban",), ("iban",)]


@pytest.mark.parametrize(
    "parts",
    [
        ("ada.lovelace@", "example.com"),
        ("ada.lovelace", "@example.com"),
        ("ada.lovelace", "@", "example.com"),
        ("ada.lovelace(at)", "example.com"),
    ],
)
def test_an_address_may_continue_before_or_after_its_at_sign(parts: tuple[str, ...]) -> None:
    assert classes("before", *parts, "after") == [(), *[("mail",)] * len(parts), ()]


@pytest.mark.parametrize("parts", [("ada.lovelace@", "exarnple,com"), ("ada.love lace.", " @example"), ("@",)])
def test_a_line_beside_an_at_sign_at_an_end_is_covered(parts: tuple[str, ...]) -> None:
    assert classes(*parts) == [(UNSURE,)] * len(parts)
    assert classes("before.", *parts, "after")[1:-1] == [(UNSURE,)] * len(parts)


def test_an_address_continues_nowhere_else() -> None:
    """The limit that docs/guides/text.md names: the lines have no sign of an address."""
    assert classes("ada.", "lovelace@example.com") == [(), ("mail",)]
    assert classes("ada.lovelace@example.", "com") == [(UNSURE,), ()]


def test_numbers_below_each_other_are_no_card() -> None:
    """A tenth of all columns of digits have a valid sum."""
    assert classes("41111111", "11111111") == [(), ()]


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",  # a misread digit
        "4111 1111 1111 111",  # a lost one
        "DE88 3704 0044 0532 0130 00",
        "DE89 3704 0044 0532 013",
        "john@example",
        "IBAN DE8937O4OO44O53 2013 00",
        "Tel 1 2O3 45 67B",
        "AB12CDF9",
        "",
        "  ",
    ],
)
def test_what_resembles_personal_data_or_is_unread_is_covered(text: str) -> None:
    assert found(text) == ""
    assert covered(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Total 1,234.56 EUR",
            "The quick brown fox",
            "DIN A4",
            "01.02.2024",
            "EAN 4006381333931",
            "Page 12 of 30",
            "A4",
        ),
        "The article is ISBN 978-3-16-148410-0",
        "The number is 8841 2207 55",
    ],
)
def test_other_text_is_not_covered(text: str) -> None:
    assert not covered(text)


DIGITS = st.text("0123456789", min_size=15, max_size=15)


def luhn_digit(digits: str) -> str:
    """The digit that completes ``digits``, computed from the left (ISO/IEC 7812-1, annex B)."""
    doubled = [int(digit) * (2 if place % 2 == len(digits[::-1]) % 2 else 1) for place, digit in enumerate(digits, 1)]
    total = sum(number - 9 if number > 9 else number for number in doubled)
    return str(-total % 10)


@given(DIGITS)
def test_every_number_with_a_valid_sum_is_a_card_and_no_other(digits: str) -> None:
    number = "4" + digits[1:]
    right = luhn_digit(number)
    for last in "0123456789":
        text = f"{number}{last}"
        grouped = " ".join(text[start : start + 4] for start in range(0, 16, 4))
        assert (found(grouped) == "card") is (last == right)
        assert covered(grouped)


@given(st.text("0123456789", min_size=18, max_size=18))
def test_every_account_number_has_two_check_digits(digits: str) -> None:
    remainder = int(digits + "131400") % 97  # D is 13, E is 14
    valid = f"DE{98 - remainder:02d}{digits}"
    assert "iban" in found(valid)
    other = f"DE{(98 - remainder + 1) % 97 + 2:02d}{digits}"
    assert "iban" not in found(other) or int(digits + "1314" + other[2:4]) % 97 == 1


@given(st.lists(st.text(max_size=60), max_size=8))
def test_any_text_has_an_answer_for_each_line(texts: list[str]) -> None:
    marked = mark_personal_data(lines(*texts))
    assert [line.text for line in marked] == texts
    assert all(line.personal is not None for line in marked)


@pytest.mark.sample(4)
@pytest.mark.parametrize("part", ["a", "1 ", "@", "a@", "1", "tel ", "A1-", "DE89 ", "0 1", ". ", "4111 1111\n", "+1("])
def test_the_work_grows_with_the_length_of_a_text(part: str) -> None:
    """A text of repetitions, of which patterns with ambiguous repetitions would not end."""
    mark_personal_data(lines(part * (20_000 // len(part))))
