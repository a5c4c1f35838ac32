"""No secret document accepts a forged URL or raises anything but a request error."""

from __future__ import annotations

import hmac
import io
import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import md5, sha1, sha256
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cli.main import main
from darkroom.errors import BadSignature, DarkroomError, KeysInvalid
from darkroom.plan.forced_options import NOTHING_FORCED
from darkroom.plan.model import Plan
from darkroom.plan.presets import load_default_presets
from darkroom.plan.variants import AccessMode
from darkroom.signing import InvalidSecret, parse_secret, parse_signing_keys, sign, verify
from darkroom_dialects.common.parsed_url import DialectKey
from darkroom_dialects.common.settings import DialectSettings
from darkroom_dialects.parsers import load_parser
from darkroom_dialects.registry import DIALECTS_BY_NAME
from darkroom_dialects.serving.access import authorise
from darkroom_dialects.serving.request import DialectRequest
from darkroom_dialects.serving.service import choose_variant
from darkroom_dialects.serving.signing_keys import DIALECTS_WITH_KEYS, KeysByDialect, parse_keys

KEY, SALT = "0123456789abcdef", "0a"
STRONG = "a key of more than 16 characters"

REJECTED: Mapping[str, Any] = {
    "text where a list belongs": {"thumbor": "secretkey of many letters"},
    "an empty imgproxy key": {"imgproxy": [{"key": "", "salt": SALT}]},
    "an empty imgproxy salt": {"imgproxy": [{"key": KEY, "salt": ""}]},
    "an imgproxy key that is not hexadecimal": {"imgproxy": [{"key": "x" * 32, "salt": SALT}]},
    "an odd number of digits": {"imgproxy": [{"key": KEY + "0", "salt": SALT}]},
    "an imgproxy salt that is not hexadecimal": {"imgproxy": [{"key": KEY, "salt": "salt"}]},
    "a space among hexadecimal digits": {"imgproxy": [{"key": KEY, "salt": "0a 0b"}]},
    "no salt": {"imgproxy": [{"key": KEY}]},
    "another field": {"imgproxy": [{"key": KEY, "salt": SALT, "size": 8}]},
    "text for imgproxy": {"imgproxy": [KEY]},
    "a short key": {"thumbor": ["fifteen letters"]},
    "a short key beside a good one": {"thumbor": [STRONG, ""]},
    "a mistake of another dialect": {"thumbor": [STRONG], "dit": [7]},
    "a number": {"dit": [1234567890123456]},
    "null": {"dit": None},
    "an object for thumbor": {"thumbor": [{"key": STRONG}]},
    "a dialect that does not exist": {"thumber": [STRONG]},
    "a dialect without signatures": {"cloudflare": [STRONG]},
    "a line end": {"thumbor": [STRONG + "\n"]},
    "a space at the start": {"thumbor": [" " + STRONG]},
    "a space at the end": {"thumbor": [STRONG + " "]},
    "a space that JSON's parsers keep": {"dit": [STRONG + "\u3000"]},
    "a lone surrogate": {"thumbor": [STRONG + "\ud800"]},
    "too many keys": {"dit": [STRONG] * 17},
}

NATIVE_REJECTED: Mapping[str, Any] = {
    "nothing": {},
    "an empty key": {"current": ""},
    "an empty key beside a good one": {"current": "", "previous": STRONG},
    "a short key": {"current": "fifteen letters"},
    "a short previous key": {"current": STRONG, "previous": "short"},
    "a list": {"current": [STRONG]},
    "null": {"current": STRONG, "previous": None},
    "another field": {"current": STRONG, "next": STRONG},
    "a space at the start": {"current": " " + STRONG},
    "a space at the end": {"current": STRONG + " "},
    "a space at the end of the previous key": {"current": STRONG, "previous": STRONG + " "},
    "a lone surrogate": {"current": STRONG + "\udfff"},
}

NOT_OBJECTS = ("", "[]", "no JSON", "null", '"text"', "[" * 100_000, '{"thumbor": [], "thumbor": []}', "9" * 5000)


@pytest.mark.parametrize("case", REJECTED)
def test_a_document_with_a_mistake_is_rejected_as_a_whole(case: str) -> None:
    document = REJECTED[case]
    with pytest.raises(InvalidSecret) as caught:
        parse_keys(parse_secret(json.dumps(document)))
    leaves = [text for text in texts_in(list(document.values())) if len(text) > 6]
    assert not [text for text in leaves if text in str(caught.value)], "quotes a value"


@pytest.mark.parametrize("case", NATIVE_REJECTED)
def test_a_native_document_with_a_mistake_is_rejected(case: str) -> None:
    with pytest.raises(InvalidSecret):
        parse_signing_keys(parse_secret(json.dumps(NATIVE_REJECTED[case])))


@pytest.mark.parametrize("text", NOT_OBJECTS, ids=lambda text: text[:12])
def test_what_is_not_one_json_object_is_rejected(text: str) -> None:
    with pytest.raises(InvalidSecret):
        parse_secret(text)


def test_documents_that_follow_the_schema_are_read() -> None:
    assert parse_keys({}) == dict.fromkeys(DIALECTS_WITH_KEYS, ())
    assert parse_keys({"imgproxy": [{"key": KEY, "salt": SALT}], "thumbor": [STRONG, "sixteen letters!"]}) == {
        "imgproxy": (DialectKey(KEY, SALT),),
        "thumbor": (DialectKey(STRONG), DialectKey("sixteen letters!")),
        "dit": (),
        "imgix": (),
        "cloudinary": (),
    }
    assert parse_signing_keys({"current": STRONG, "previous": ""}) == (STRONG,)
    assert parse_signing_keys({"previous": KEY, "current": STRONG}) == (STRONG, KEY)


# ----------------------------------------------------------------- property

_TEXTS = st.one_of(
    st.sampled_from(
        ["", "secretkey", KEY, STRONG, "0a", "0g", "x" * 16, " " * 16, "é" * 16, "\ud800" * 16, KEY + "\n"]
    ),
    st.text(max_size=40),
    st.text("0123456789abcdefABCDEF", max_size=80),
)
_SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), _TEXTS)
_PAIRS = st.dictionaries(st.sampled_from(["key", "salt", "size"]), _SCALARS, max_size=3)
_VALUES = st.one_of(_SCALARS, _PAIRS, st.lists(st.one_of(_SCALARS, _PAIRS), max_size=3))
_NAMES = st.one_of(st.sampled_from([*DIALECTS_WITH_KEYS, "current", "previous", "iiif"]), st.text(max_size=8))
_DOCUMENTS = st.one_of(
    _VALUES,
    st.dictionaries(_NAMES, _VALUES, max_size=4),
    st.fixed_dictionaries(
        {},
        optional={
            "imgproxy": st.lists(st.fixed_dictionaries({"key": _TEXTS, "salt": _TEXTS}), max_size=2),
            "thumbor": st.lists(_TEXTS, max_size=2),
            "dit": st.lists(_TEXTS, max_size=2),
            "imgix": st.lists(_TEXTS, max_size=2),
            "cloudinary": st.lists(_TEXTS, max_size=2),
        },
    ),
    st.fixed_dictionaries({"current": _TEXTS}, optional={"previous": _TEXTS}),
)


@dataclass(frozen=True)
class Keys:
    """The keys of a document; each use of a rejected one is refused, as by :class:`darkroom.aws.secrets.Secret`."""

    document: KeysByDialect | None
    dialect: str

    def get(self, *, refresh: bool = False) -> Sequence[DialectKey]:
        if self.document is None:
            raise KeysInvalid
        return self.document.get(self.dialect, ())


UNSIGNED_TARGETS = {
    "imgproxy": "/{}/w:301/plain/photo.jpg",
    "thumbor": "/{}/301x200/photo.jpg",
    "dit": "/photo.jpg?width=301",
    "imgix": "/photo.jpg?w=301",
    "cloudinary": "/image/upload/s--{}--/w_301/photo.jpg",
}
GUARDED_TARGETS = {
    "imgproxy": "/unsafe/w:320/plain/photo.jpg",
    "thumbor": "/unsafe/fit-in/320x0/photo.jpg",
    "dit": "/photo.jpg",
    "imgix": "/photo.jpg?auto=format",
    "cloudinary": "/image/upload/f_auto/photo.jpg",
}
"""Unsigned requests that guarded mode serves for any content of the secret."""


def texts_in(value: object) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, one in value.items():
            yield name
            yield from texts_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts_in(one)


def guesses(document: object, granted: set[str]) -> set[bytes]:
    """Keys of an attacker, and those of a careless reader of ``document``, without ``granted`` ones."""
    found = {b"", b"None", b"True", b"0", b"[]", b"{}", str(document).encode("utf-8", "replace")}
    for text in texts_in(document):
        raw = text.encode("utf-8", "surrogatepass")
        found |= {raw, raw.strip(), *(letter.encode("utf-8", "surrogatepass") for letter in text)}
        if len(text) % 2 == 0 and set(text) <= set("0123456789abcdefABCDEF"):
            found.add(bytes.fromhex(text))
    allowed = {one.encode() for one in granted}
    allowed |= {
        bytes.fromhex(one) for one in granted if set(one) <= set("0123456789abcdefABCDEF") and len(one) % 2 == 0
    }
    return {one for one in found if one not in allowed}


def forged(dialect: str, key: bytes, salts: set[bytes]) -> Iterator[str]:
    """Targets that ``key`` signs: written from each dialect's documentation, not with the code under test."""
    if dialect == "imgproxy":
        for salt in salts:
            digest = hmac.new(key, salt + b"/w:301/plain/photo.jpg", sha256).digest()
            yield UNSIGNED_TARGETS[dialect].format(urlsafe_b64encode(digest).rstrip(b"=").decode())
    elif dialect == "thumbor":
        digest = hmac.new(key, b"301x200/photo.jpg", sha1).digest()
        yield UNSIGNED_TARGETS[dialect].format(urlsafe_b64encode(digest).decode())
    elif dialect == "cloudinary":
        digest = sha1(b"w_301/photo.jpg" + key).digest()
        yield UNSIGNED_TARGETS[dialect].format(urlsafe_b64encode(digest).decode()[:8])
    elif dialect == "imgix":
        yield f"/photo.jpg?w=301&s={md5(key + b'/photo.jpg?w=301').hexdigest()}"
    else:
        yield f"/photo.jpg?signature={hmac.new(key, b'/photo.jpg?width=301', sha256).hexdigest()}&width=301"


def respond(keys: Keys, target: str) -> str:
    """The code of the answer to ``target`` in guarded mode, empty if it is served. Other exceptions would be a 500."""
    grammar = load_parser(DIALECTS_BY_NAME[keys.dialect])
    asked = grammar.parse(target, DialectSettings())
    try:
        plan = choose_variant(asked, DialectRequest(target), NOTHING_FORCED)
        authorise(
            asked,
            plan,
            AccessMode.GUARDED,
            load_default_presets,
            NOTHING_FORCED,
            grammar.verify,
            keys,
            0.0,
            is_private=False,
        )
    except DarkroomError as error:
        assert error.status != 500
        return error.code
    return ""


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(document=_DOCUMENTS)
@example(document={"thumbor": "secretkey"})
@example(document={"imgproxy": [{"key": "", "salt": ""}]})
@example(document={"imgproxy": [{"key": "no hexadecimal digits", "salt": "0a"}]})
def test_no_document_lets_a_forged_url_pass(document: Any) -> None:
    try:
        read = parse_keys(parse_secret(json.dumps(document)))
    except InvalidSecret:
        read = None
    for dialect in DIALECTS_WITH_KEYS:
        keys = Keys(read, dialect)
        granted = {key.key for key in (read or {}).get(dialect, ())}
        tried = guesses(document, granted)
        for guess in tried:
            for target in forged(dialect, guess, {b"", *tried} if len(tried) < 20 else {b""}):
                assert respond(keys, target) == ("keys-invalid" if read is None else "bad-signature")
        assert respond(keys, GUARDED_TARGETS[dialect]) == ""


@settings(max_examples=150, deadline=None)
@given(document=_DOCUMENTS, signature=_TEXTS)
def test_no_native_document_lets_a_forged_url_pass(document: Any, signature: str) -> None:
    try:
        keys = parse_signing_keys(parse_secret(json.dumps(document)))
    except InvalidSecret:
        return
    assert all(len(key) >= 16 for key in keys)
    path = "/photo.jpg?w=301"
    for guess in guesses(document, set(keys)):
        with pytest.raises(BadSignature):
            verify(
                path,
                urlsafe_b64encode(hmac.digest(guess, path.encode(), "sha256")).rstrip(b"=").decode(),
                None,
                keys,
                0,
            )
    with pytest.raises(BadSignature):
        verify(path, signature, None, keys, 0)
    for key in keys:
        verify(path, sign(path, key), None, keys, 0)


def test_every_plan_of_these_targets_needs_a_signature() -> None:
    for dialect in DIALECTS_WITH_KEYS:
        target = UNSIGNED_TARGETS[dialect].format("unsafe").replace("s--unsafe--/", "")
        plan: Plan = load_parser(DIALECTS_BY_NAME[dialect]).parse(target, DialectSettings()).plan
        assert plan.width == 301
        assert respond(Keys({}, dialect), target) == "unsigned"


# ------------------------------------------------------------------ command


@pytest.mark.parametrize(
    ("secret", "document", "status"),
    [
        ("signing", {"current": STRONG}, 0),
        ("dialects", {"dit": [STRONG]}, 0),
        ("signing", {"dit": [STRONG]}, 1),
        ("dialects", {"dit": ["a short key"], "thumbor": 7}, 1),
    ],
)
def test_the_command_reports_settings_that_functions_would_reject(
    secret: str,
    document: object,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(document)))
    assert main(["check", "secret", secret]) == status
    output = capsys.readouterr()
    assert output.out == ("" if status else "valid\n")
    assert bool(output.err) is bool(status)
    assert "a short key" not in output.err
