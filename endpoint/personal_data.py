"""Find personal data in lines of text: card and account numbers, mail addresses, telephone numbers, number plates.

Patterns find candidates, and checks decide: the Luhn sum and the network's lengths (ISO/IEC 7812), modulo 97 and the
country's length (ISO 13616), lengths of RFC 5321, country codes of E.164 and rules of the North American numbering
plan, and the letters that a country's plates have. Letters that are misread digits count as digits.

A redaction also covers lines that resemble personal data: recognition may misread the digit that a check depends on.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

from darkroom.findings import UNSURE, TextLine

CARD, IBAN, MAIL, PHONE, PLATE = "card", "iban", "mail", "phone", "plate"

type Span = tuple[str, int, int]
"""A class, and the start and end in a text."""

_MISREAD = str.maketrans("OoQDIl|iZzSsGbB", "000011112255688")
"""Letters that recognition puts in place of digits."""

_DIGIT = r"[0-9OoQDIl|iZzSsGbB]"
_GAP = r"[ .·\n-]{0,2}"
_RUN = re.compile(rf"(?<!\d)\d(?:{_GAP}{_DIGIT}){{11,200}}(?<=\d)(?!\d)")
_GROUP = re.compile(rf"{_DIGIT}+")
_RESEMBLES_CARD = re.compile(
    rf"(?<!\w){_DIGIT}{{4}}"
    rf"(?:(?:{_GAP}{_DIGIT}{{4}}){{2}}{_GAP}{_DIGIT}{{3,5}}|[ -]{_DIGIT}{{6}}[ -]{_DIGIT}{{4,6}})(?!\w)"
)
_MIN_DIGITS = 10
"""Real digits of what resembles a number of a card or account."""

_CARDS = tuple(
    (re.compile(start), range(least, most + 1, step))
    for start, least, most, step in (
        ("4", 13, 19, 3),
        ("5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720", 16, 16, 1),
        ("3[47]", 15, 15, 1),
        ("30[0-5]|3[689]", 14, 19, 1),
        ("35(?:2[89]|[3-8])", 16, 19, 1),
        ("50|5[6-9]|6", 13, 19, 1),
    )
)
"""First digits and lengths of Visa, Mastercard, American Express, Diners Club, JCB; Maestro, Discover and UnionPay."""

_MAX_CARD_DIGITS = 19
_CARD_GROUPS = ([4, 4, 4, 4], [4, 6, 5], [4, 6, 4])
"""Groups of a number that continues in another line: other digits in columns have a valid sum by chance."""

_IBAN_LENGTHS = {
    country: int(length)
    for country, length in re.findall(
        r"([A-Z]{2})([0-9]{2})",
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 "
        "ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN30 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 "
        "LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 "
        "PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 "
        "YE30",
    )
}
"""Characters of each country's numbers, by the IBAN registry of SWIFT."""

_IBAN_START = re.compile(rf"([A-Za-z]{{2}})[ \n]?(?={_DIGIT}[ ]?{_DIGIT})")
_IBAN_GAPS = " .-\n"

_MAIL = re.compile(
    r"(?<![\w.%+-])([\w.%+-]{1,64})[ \n]?(?:@|\(at\)|\[at\])[ \n]?"
    r"((?:[A-Za-z0-9-]{1,63} ?\. ?)+[A-Za-z]{2,24})(?![\w@])"
)
_RESEMBLES_MAIL = re.compile(r"\w ?@ ?\w")

_PHONE = re.compile(r"(?<![\w.,/-])(?:\+ ?|\(\+?)?\d[\d ()/.–-]{4,22}\d(?!\w)")
_COUNTRY = (
    r"(?:1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|2[1-69]\d|3[578]\d|42\d|5[09]\d|6[789]\d|8[0578]\d"
    r"|9[67]\d|99[2-68])"
)
_PHONE_NUMBER = re.compile(
    rf"(?:\+|00){_COUNTRY}\d{{6,12}}"  # E.164: at most 15 digits
    r"|0[1-9]\d{6,10}"  # with a trunk prefix
)
_NORTH_AMERICAN = re.compile(r"(?:\+?1[ .-]?)?(?:\([2-9](?!11)\d\d\) ?|[2-9](?!11)\d\d[ .-])[2-9](?!11)\d\d[ .-]\d{4}")
_DATE = re.compile(
    r"(?:[0-3]?\d[./-][01]?\d|[01]?\d[./-][0-3]?\d)[./-](?:\d{4}|\d\d)(?![./\d-])|\d{4}[./-][01]\d[./-]\d\d"
)
_NAMED_PHONE = re.compile(
    r"\b(?:tele?(?:ph|f)?on\w*|phone|tel|tél|fon|ph|fax|mobil\w*|móvil|cell|handy|whatsapp)\b[^\w\n+]{0,4}"
    r"(\+?\(?\d(?:[ ()/.–-]{0,2}\d){5,14})",
    re.IGNORECASE,
)

_LETTER = "A-HJ-NPR-Z"
_PLATE = re.compile(
    "|".join(
        (
            r"(?<!\w)[A-ZÄÖÜ]{1,3}[-–·][A-Z]{1,2} ?[1-9]\d{1,3}[EH]?(?!\w)",  # Germany
            rf"(?<!\w)[{_LETTER}]{{2}}(?:0[2-9]|[12]\d|5[1-9]|[67]\d) ?[{_LETTER}]{{3}}(?!\w)",  # Great Britain
            rf"(?<!\w)[{_LETTER}]{{2}}[- ]?\d{{3}}[- ]?[{_LETTER}]{{2}}(?!\w)",  # France, Italy
            r"(?<!\w)(?:[A-Z]{2}-\d{3}-[A-Z]|[A-Z]-\d{3}-[A-Z]{2}|\d{1,2}-[A-Z]{2,3}-(?:\d{1,2}|[A-Z]{2})"
            r"|[A-Z]{2}-(?:[A-Z]{2}-\d\d|\d\d-(?:\d\d|[A-Z]{2})))(?!\w)",  # the Netherlands
            r"(?<!\w)[1-9][A-Z]{3}\d{3}(?!\w)",  # California
        )
    )
)
_PLATE_ALONE = re.compile(
    r"(?!(?:.*\b|[A-Z]*)(?:19|20)\d\d\b)(?:[A-Z]{1,3} )?(?:"  # no year, perhaps the letters of the country
    r"[A-ZÄÖÜ]{1,3}[ .·:°-]{0,3}[A-Z]{1,2}[ .-]?[1-9]\d{1,3}[EH]?"  # Germany
    r"|\d{4}[ -]?[BCDFGHJ-NPR-TV-Z]{3}"  # Spain
    r"|[A-Z]{2,3}[ ·-]?(?=\w{0,3}\d\w{0,3}\d)[A-Z0-9]{4,5}"  # Poland, Texas, New York
    r"|[A-Z]{2}[ ·-]?\d{2,3} ?\d{3}|[A-Z]{1,2}[ -]\d{1,5}[ -][A-Z]{1,3})"  # Switzerland, Denmark; Austria
)
_NAMED_PLATE = re.compile(
    r"\b(?:kennzeichen|licen[cs]e plate|number plate|registration(?: (?:no|number))?|immatriculation|targa|matrícula)"
    r"\b[^\w\n]{0,4}((?=[A-Z0-9 -]{0,9}\d)[A-Z0-9][A-Z0-9 -]{2,9}[A-Z0-9])",
    re.IGNORECASE,
)
_RESEMBLES_PLATE = re.compile(
    r"(?=(?:\W*\w){4,8}\W*$)(?=(?:.*\d){2})(?=.*[A-Z])[A-Z0-9ÄÖÜ]+(?:[ .·:-]{1,2}[A-Z0-9]+){0,3}"
)

_NAMED_NUMBER = re.compile(
    r"\b(?:iban|card|karten?\w*|carte|tarjeta|konto\w*|account|acct|tel\w*|phone|fax|mobil\w*)\b(?:[^\d\n]{0,40}\d){6}",
    re.IGNORECASE,
)
"""A name that announces a number: its digits are covered, even if too many are misread."""


def mark_personal_data(lines: Sequence[TextLine]) -> list[TextLine]:
    """Return ``lines``, which are in reading order, with the classes of personal data in each.

    A number of a card or account may continue in the next line, and a mail address before or after its @. A line that
    resembles personal data although a check fails, or that could not be read, is UNSURE: recognition may have misread a
    digit.
    """
    text, starts = _join(lines)
    found: list[set[str]] = [set() for _ in lines]
    for name, start, end in _find_checked(text):
        for index in range(bisect_right(starts, start) - 1, bisect_right(starts, end - 1)):
            found[index].add(name)
    unsure = {index for index, line in enumerate(lines) if _is_unsure(line.text)} | set(_find_split_mails(lines))
    return [
        replace(line, personal=tuple(sorted(names)) or ((UNSURE,) if index in unsure else ()))
        for index, (line, names) in enumerate(zip(lines, found, strict=True))
    ]


def _join(lines: Sequence[TextLine]) -> tuple[str, list[int]]:
    texts = [line.text.replace("\n", " ") + "\n" for line in lines]
    return "".join(texts), list(accumulate(map(len, texts[:-1]), initial=0)) if texts else []


def _find_checked(text: str) -> Iterator[Span]:
    numbers = [*_find_cards(text), *_find_ibans(text)]
    yield from numbers
    yield from _find_mails(text)
    for name, start, end in _find_phones(text):
        if not any(start < other_end and other < end for _, other, other_end in numbers):
            yield name, start, end
    yield from _find_plates(text)


def _find_cards(text: str) -> Iterator[Span]:
    for run in _RUN.finditer(text):
        groups = list(_GROUP.finditer(text, run.start(), run.end()))
        for first in range(len(groups)):
            digits = ""
            for last in range(first, len(groups)):
                digits += groups[last][0].translate(_MISREAD)
                if len(digits) > _MAX_CARD_DIGITS:
                    break
                start, end = groups[first].start(), groups[last].end()
                sizes = [len(group[0]) for group in groups[first : last + 1]]
                if _is_card(digits) and ("\n" not in text[start:end] or sizes in _CARD_GROUPS):
                    yield CARD, start, end


def _is_card(digits: str) -> bool:
    """Return whether ``digits`` have the start and the length of a card network, and a valid Luhn sum."""
    if not any(len(digits) in lengths and start.match(digits) for start, lengths in _CARDS):
        return False
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[::-2])) + sum(doubled)) % 10 == 0


def _find_ibans(text: str) -> Iterator[Span]:
    for start in _IBAN_START.finditer(text):
        number, end = _read_iban(text, start)
        if number and any(_is_iban(number[:2] + rest) for rest in (number[2:], number[2:].translate(_MISREAD))):
            yield IBAN, start.start(), end


def _read_iban(text: str, start: re.Match[str]) -> tuple[str, int]:
    """Return as many characters from ``start`` on as a number of the country has, and their end; "" if too few."""
    length = _IBAN_LENGTHS.get(start[1].upper(), 0)
    number, end = "", start.start()
    while end < len(text) and len(number) < length and (text[end].isalnum() or text[end] in _IBAN_GAPS):
        number += text[end] if text[end].isalnum() else ""
        end += 1
    return (number if length and len(number) == length else ""), end


def _is_iban(number: str) -> bool:
    """Return whether ``number`` leaves 1 modulo 97."""
    number = number.upper()
    if not (number.isascii() and number.isalnum() and number[2:4].isdigit()):
        return False
    return int("".join(str(int(character, 36)) for character in number[4:] + number[:4])) % 97 == 1


def _find_mails(text: str) -> Iterator[Span]:
    for mail in _MAIL.finditer(text):
        domain = mail[2].replace(" ", "")
        labels = domain.split(".")
        is_name = mail[1][0] != "." and mail[1][-1] != "." and ".." not in mail[1]
        if is_name and len(mail[1]) + len(domain) < 254 and not any(one[0] == "-" or one[-1] == "-" for one in labels):
            yield MAIL, *mail.span()


def _find_split_mails(lines: Sequence[TextLine]) -> Iterator[int]:
    """Yield the numbers of lines with an @ at an end, and of those beside that end: of an address, or like one."""
    for index, line in enumerate(lines):
        text = line.text.strip()
        before, after = text.startswith("@"), text.endswith("@")
        if before or after:
            yield from range(max(index - before, 0), min(index + after + 1, len(lines)))


def _find_phones(text: str) -> Iterator[Span]:
    for phone in _PHONE.finditer(text):
        number = re.sub(r"[^\d+]", "", phone[0].replace("(0)", ""))
        is_number = _PHONE_NUMBER.fullmatch(number) or _NORTH_AMERICAN.fullmatch(phone[0])
        if is_number and not _DATE.match(phone[0]) and not re.fullmatch(r"\d+\.\d+", phone[0]):
            yield PHONE, *phone.span()
    for phone in _NAMED_PHONE.finditer(text):
        yield PHONE, *phone.span(1)


def _find_plates(text: str) -> Iterator[Span]:
    for plate in (*_PLATE.finditer(text), *_NAMED_PLATE.finditer(text)):
        yield PLATE, *plate.span()
    for line in re.finditer(r"[^\n]+", text):
        if _PLATE_ALONE.fullmatch(line[0].strip()):
            yield PLATE, *line.span()


def _is_unsure(text: str) -> bool:
    """Return whether ``text`` is not read, or looks like personal data of which something is misread."""
    if not text.strip():
        return True
    numbers = [*_RESEMBLES_CARD.finditer(text)]
    numbers += [start for start in _IBAN_START.finditer(text) if _resembles_iban(text, start)]
    if any(sum(map(str.isdigit, text[number.start() : number.start() + 30])) >= _MIN_DIGITS for number in numbers):
        return True
    return bool(_RESEMBLES_MAIL.search(text) or _NAMED_NUMBER.search(text) or _RESEMBLES_PLATE.fullmatch(text.strip()))


def _resembles_iban(text: str, start: re.Match[str]) -> bool:
    """Return whether a country in capitals and a digit begin here, unlike "is ISBN 978" and "is 2026"."""
    return start[1] in _IBAN_LENGTHS and any(map(str.isdigit, text[start.end() : start.end() + 3]))
