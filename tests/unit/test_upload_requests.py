"""Upload tokens and upload requests."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.errors import BadKey, BadSignature, BadToken, BadUpload, DarkroomError, NotGranted
from darkroom.grant_tokens import MAX_TOKEN_LASTS_S
from darkroom.image_keys import MAX_KEY_BYTES, check_key
from darkroom.plan.model import SOURCE_FORMATS
from darkroom.services.upload_requests import (
    SOURCE_MEDIA_TYPES,
    DeclaredUpload,
    Grant,
    make_token,
    parse_upload_request,
    verify_token,
)
from darkroom.signing import sign, verify

KEY = "test-key"
NOW_S = 1_900_000_000
GRANT = Grant("trips/", NOW_S + 900)
# Of the grant: printf '1900000900::trips/' | base64 | tr '+/' '-_' | tr -d =
ENCODED = "MTkwMDAwMDkwMDo6dHJpcHMv"
# printf 'upload-token:MTkwMDAwMDkwMDo6dHJpcHMv' | openssl dgst -sha256 -hmac test-key -binary | the same
SIGNATURE = "2qKUjeMQkiFiVAjVzxlh3ZQSBaOZIYBHqKN6W-QuZ9I"
DIGEST = hashlib.sha256(b"an image").digest()
DOCUMENT = {"key": "trips/rome.jpg", "type": "image/jpeg", "size": 2_190_194, "sha256": DIGEST.hex()}
MAX_BYTES = 100 * 1024 * 1024
DOCS = Path(__file__).parents[2] / "docs" / "guides" / "uploads.md"


def is_key(text: str) -> bool:
    try:
        check_key(text)
    except BadKey:
        return False
    return True


image_keys = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).filter(is_key)
grants = st.builds(
    Grant,
    prefix=st.one_of(image_keys, image_keys.map(lambda key: f"{key}/")),
    expires_s=st.integers(NOW_S + 1, NOW_S + MAX_TOKEN_LASTS_S),
    max_bytes=st.none() | st.integers(1, 999_999_999_999),
    max_files=st.none() | st.integers(1, 999_999),
    priority=st.sampled_from(["", "urgent"]),
)


def forged(text: str | bytes, key: str = KEY) -> str:
    """A token with a valid signature over any grant at all."""
    data = text if isinstance(text, bytes) else text.encode()
    return signed(base64.urlsafe_b64encode(data).rstrip(b"=").decode(), key)


def signed(encoded: str, key: str = KEY) -> str:
    digest = hmac.digest(key.encode(), b"upload-token:" + encoded.encode(), "sha256")
    return f"{encoded}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def body(**changes: object) -> bytes:
    document = {name: value for name, value in (DOCUMENT | changes).items() if value is not None}
    return json.dumps(document).encode()


def test_signatures_of_openssl() -> None:
    assert make_token(GRANT, KEY) == f"{ENCODED}.{SIGNATURE}"
    assert verify_token(f"{ENCODED}.{SIGNATURE}", [KEY], NOW_S) == GRANT


@given(grant=grants, key=st.text(min_size=1, max_size=20))
def test_a_token_is_read_as_it_was_written(grant: Grant, key: str) -> None:
    token = make_token(grant, key)
    assert re.fullmatch(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}", token)
    assert verify_token(token, [key], NOW_S) == grant


@given(grant=grants, at=st.integers(0, 2000), to=st.characters())
def test_any_changed_character_breaks_a_token(grant: Grant, at: int, to: str) -> None:
    token = make_token(grant, KEY)
    at %= len(token)
    changed = token[:at] + to + token[at + 1 :]
    if changed == token:
        return
    with pytest.raises(BadToken):
        verify_token(changed, [KEY], NOW_S)


@given(text=st.text(max_size=100))
def test_any_other_text_is_no_token(text: str) -> None:
    with pytest.raises(BadToken):
        verify_token(text, [KEY], NOW_S)


@given(
    text=st.text(max_size=40)
    | st.from_regex(
        r"[0-9]{0,3}1900000[0-9]{3}:[0-9]{0,4}(x[0-9]{0,4})?(;priority=(urgent|high))?:[a-z/_.]{0,8}", fullmatch=True
    )
)
def test_a_signed_grant_has_one_spelling(text: str) -> None:
    """Even with the key, one grant has one text form."""
    try:
        token = forged(text)
        grant = verify_token(token, [KEY], NOW_S)
    except (BadToken, UnicodeEncodeError):
        return
    assert make_token(grant, KEY) == token


@pytest.mark.parametrize("keys", [[KEY], [KEY, ""], ["new", KEY], [KEY, "old"]])
def test_either_key_is_valid(keys: list[str]) -> None:
    assert verify_token(make_token(GRANT, KEY), keys, NOW_S) == GRANT


@pytest.mark.parametrize(
    ("token", "keys"),
    [
        (make_token(GRANT, KEY), ["other"]),
        (make_token(GRANT, KEY), []),
        (make_token(GRANT, ""), [""]),
        (make_token(GRANT, KEY) + "=", [KEY]),
        (make_token(GRANT, KEY) + "\n", [KEY]),
        (" " + make_token(GRANT, KEY), [KEY]),
        (make_token(GRANT, KEY).partition(".")[0], [KEY]),
        (make_token(GRANT, KEY).partition(".")[0] + ".", [KEY]),
        (make_token(GRANT, KEY).partition(".")[2], [KEY]),
        ("." + make_token(GRANT, KEY).partition(".")[2], [KEY]),
        (make_token(GRANT, KEY)[:-1] + "é", [KEY]),
        ("", [KEY]),
        # Well signed, but spelled in another way or with something else in it.
        (forged("01900000900::trips/"), [KEY]),
        (forged("+1900000900::trips/"), [KEY]),
        (forged("1900000900:0:trips/"), [KEY]),
        (forged("1900000900:01:trips/"), [KEY]),
        (forged("1900000900:-1:trips/"), [KEY]),
        (forged("1900000900:1.5:trips/"), [KEY]),
        (forged("1900000900:trips/"), [KEY]),
        (forged("1900000900::"), [KEY]),
        (forged("1900000900::/"), [KEY]),
        (forged("1900000900::/trips/"), [KEY]),
        (forged("1900000900::trips//"), [KEY]),
        (forged("1900000900::../"), [KEY]),
        (forged("1900000900::trips/_/"), [KEY]),
        (forged("1900000900::a\nb"), [KEY]),
        (forged(f"1900000900::{'a' * (MAX_KEY_BYTES + 1)}"), [KEY]),
        (forged("١٩٠٠٠٠٠٩٠٠::trips/"), [KEY]),
        (forged(b"1900000900::\xff/"), [KEY]),
        (signed(ENCODED + "=="), [KEY]),
        (signed("MTkwMDAwMDkwMDo6dHJpcHMvYW"), [KEY]),  # of a base64 that leaves bits over
        (signed("MTkwMDAwMDkwMDo6dHJpcHMvY"), [KEY]),  # of a length that no base64 has
    ],
)
def test_forgeries(token: str, keys: list[str]) -> None:
    with pytest.raises(BadToken):
        verify_token(token, keys, NOW_S)


def test_a_signature_of_a_url_is_no_token_and_the_other_way_round() -> None:
    """The signed text of a URL begins with a slash, that of a token does not."""
    with pytest.raises(ValueError, match="slash"):
        sign(f"upload-token:{ENCODED}", KEY)
    with pytest.raises(BadToken):
        verify_token(f"{ENCODED}.{sign(f'/{ENCODED}', KEY)}", [KEY], NOW_S)
    with pytest.raises(BadSignature):
        verify("/trips/rome.jpg/_/w-801.auto", SIGNATURE, None, [KEY], NOW_S)


@pytest.mark.parametrize("now_s", [NOW_S + 900, NOW_S + 900.5, 3e9])
def test_expiry(now_s: float) -> None:
    with pytest.raises(BadToken, match="expired"):
        verify_token(make_token(GRANT, KEY), [KEY], now_s)


def test_a_token_with_a_long_validity_is_rejected() -> None:
    token = make_token(Grant("trips/", NOW_S + MAX_TOKEN_LASTS_S), KEY)
    assert verify_token(token, [KEY], NOW_S).prefix == "trips/"
    with pytest.raises(BadToken, match="valid for more than"):
        verify_token(token, [KEY], NOW_S - 1)


@pytest.mark.parametrize("prefix", ["", "/", "//", "a//", "/a/", "_/", "a/../", "a\0"])
def test_no_token_is_written_for_a_prefix_that_no_key_has(prefix: str) -> None:
    with pytest.raises(BadKey):
        make_token(Grant(prefix, NOW_S + 900), KEY)


@pytest.mark.parametrize("max_bytes", [0, -1, 10**12])
def test_no_token_is_written_for_a_limit_that_is_none(max_bytes: int) -> None:
    with pytest.raises(BadToken):
        make_token(Grant("trips/", NOW_S + 900, max_bytes), KEY)
    with pytest.raises(BadToken):
        make_token(Grant("trips/", NOW_S + 900, max_files=max_bytes), KEY)


@pytest.mark.parametrize(
    ("prefix", "key", "covered"),
    [
        ("trips/", "trips/rome.jpg", True),
        ("trips/", "trips/2026/rome.jpg", True),
        ("trips/", "trips2/rome.jpg", False),
        ("trips/", "trips", False),
        ("trips/", "other/trips/rome.jpg", False),
        ("trips", "trips", True),
        ("trips", "trips/rome.jpg", False),
        ("trips", "trips2", False),
        ("trips/rome.jpg", "trips/rome.jpg", True),
        ("trips/rome.jpg", "trips/rome.jpg.exe", False),
        ("Trips/", "trips/rome.jpg", False),
    ],
)
def test_what_a_prefix_covers(prefix: str, key: str, covered: bool) -> None:
    assert Grant(prefix, NOW_S).covers(key) is covered


def test_the_types_are_those_of_ingest() -> None:
    assert set(SOURCE_MEDIA_TYPES.values()) == set(SOURCE_FORMATS)


@pytest.mark.parametrize("sha256", [DIGEST.hex(), DIGEST.hex().upper(), base64.b64encode(DIGEST).decode()])
def test_a_request(sha256: str) -> None:
    upload = parse_upload_request(body(sha256=sha256), GRANT, MAX_BYTES)
    assert upload == DeclaredUpload("trips/rome.jpg", "image/jpeg", 2_190_194, DIGEST)
    assert base64.b64decode(upload.checksum) == DIGEST


@pytest.mark.parametrize("size", [1, 5000])
def test_sizes_up_to_the_least_bound(size: int) -> None:
    assert parse_upload_request(body(size=size), Grant("trips/", NOW_S, 5000), MAX_BYTES).size_bytes == size
    assert parse_upload_request(body(size=size), Grant("trips/", NOW_S, 9000), 5000).size_bytes == size
    assert parse_upload_request(body(size=size), GRANT, 5000).size_bytes == size


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("key", None),
        ("key", 7),
        ("key", ""),
        ("key", "/trips/rome.jpg"),
        ("key", "trips/"),
        ("key", "trips/../secret.jpg"),
        ("key", "trips/_/w-100.webp"),
        ("key", "trips/a\nb.jpg"),
        ("key", "trips/\ud800.jpg"),
        ("key", "trips/${filename}"),
        ("key", "trips/a${filename}b.jpg"),
        ("key", "trips/" + "a" * MAX_KEY_BYTES),
        ("type", None),
        ("type", ""),
        ("type", ["image/jpeg"]),
        ("type", "jpeg"),
        ("type", "image/jpg"),
        ("type", "IMAGE/JPEG"),
        ("type", "image/jpeg; charset=utf-8"),
        ("type", "image/"),
        ("type", "text/html"),
        ("size", None),
        ("size", 0),
        ("size", -1),
        ("size", 1.0),
        ("size", True),
        ("size", "2190194"),
        ("size", MAX_BYTES + 1),
        ("size", float("inf")),
        ("sha256", None),
        ("sha256", ""),
        ("sha256", 1),
        ("sha256", DIGEST.hex()[1:]),
        ("sha256", DIGEST.hex() + "00"),
        ("sha256", " " + DIGEST.hex()),
        ("sha256", DIGEST.hex()[:-1] + "g"),
        ("sha256", base64.b64encode(DIGEST).decode()[:-1]),
        ("sha256", base64.b64encode(DIGEST).decode() + "\n"),
        ("sha256", base64.b64encode(DIGEST[1:]).decode()),
        ("sha256", base64.b64encode(bytes(32)).decode().replace("A=", "B=")),
        ("sha256", "é" * 64),
        ("filename", "rome.jpg"),
    ],
)
def test_a_wrong_field_is_named(field: str, value: object) -> None:
    with pytest.raises(BadUpload) as refusal:
        parse_upload_request(body(**{field: value}), GRANT, MAX_BYTES)
    assert refusal.value.field == field
    assert refusal.value.message.startswith(f"{field}: ")


def test_the_error_has_the_size_limits() -> None:
    with pytest.raises(BadUpload, match="from 1 to 5000"):
        parse_upload_request(body(), Grant("trips/", NOW_S, 5000), MAX_BYTES)


def test_a_field_given_twice_is_named() -> None:
    with pytest.raises(BadUpload) as refusal:
        parse_upload_request(body()[:-1] + b', "size": 1}', GRANT, MAX_BYTES)
    assert refusal.value.field == "size"


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"null", b'"key"', b"\xff", b"[" * 8000, b'{"size": ' + b"9" * 5000 + b"}", b" " * 8193]
)
def test_what_is_no_request(text: bytes) -> None:
    with pytest.raises(BadUpload) as refusal:
        parse_upload_request(text, GRANT, MAX_BYTES)
    assert refusal.value.field == ""


@given(text=st.binary(max_size=60))
def test_no_request_breaks_the_reader(text: bytes) -> None:
    with pytest.raises(BadUpload):
        parse_upload_request(text, GRANT, MAX_BYTES)


json_values = st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists, max_leaves=3)


@given(changes=st.dictionaries(st.sampled_from(["key", "type", "size", "sha256", "x"]), json_values, min_size=1))
def test_no_value_breaks_the_reader(changes: dict[str, object]) -> None:
    try:
        upload = parse_upload_request(json.dumps(DOCUMENT | changes).encode(), GRANT, MAX_BYTES)
    except DarkroomError:
        return
    assert GRANT.covers(check_key(upload.key))
    assert (upload.media_type in SOURCE_MEDIA_TYPES, 1 <= upload.size_bytes <= MAX_BYTES, len(upload.sha256)) == (
        True,
        True,
        32,
    )


@pytest.mark.parametrize("key", ["trips", "other/rome.jpg", "trips2/rome.jpg", "rome.jpg"])
def test_a_key_outside_of_the_grant(key: str) -> None:
    with pytest.raises(NotGranted, match="below trips/"):
        parse_upload_request(body(key=key), GRANT, MAX_BYTES)


def test_the_documented_code_makes_valid_tokens() -> None:
    code = re.search(r"```python\n(.*?def upload_token.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert code
    assert len(code[1].partition("def upload_token")[2].strip().splitlines()) <= 8
    names: dict[str, object] = {}
    exec(code[1], names)
    upload_token = names["upload_token"]
    assert callable(upload_token)
    now_s = int(time.time())
    grant = verify_token(upload_token("trips/", KEY), [KEY], now_s)
    assert grant.prefix == "trips/"
    assert grant.max_bytes is None
    assert now_s + 900 <= grant.expires_s <= time.time() + 900
    limited = verify_token(upload_token("trips/é ü.jpg", KEY, 60, 5_000_000), [KEY], now_s)
    assert (limited.prefix, limited.max_bytes) == ("trips/é ü.jpg", 5_000_000)
    urgent = verify_token(upload_token("trips/", KEY, 60, 5_000_000, 20, urgent=True), [KEY], now_s)
    assert (urgent.max_files, urgent.priority) == (20, "urgent")


def test_a_token_contains_its_priority_as_text() -> None:
    assert Grant("trips/", NOW_S, priority="urgent").text == f"{NOW_S}:;priority=urgent:trips/"
    assert Grant("trips/", NOW_S, 5, 20, "urgent").text == f"{NOW_S}:5x20;priority=urgent:trips/"
    assert Grant(";priority=urgent:a", NOW_S).text == f"{NOW_S}::;priority=urgent:a", "a prefix is not a priority"
    assert verify_token(forged(f"{NOW_S + 9}::;priority=urgent:a"), [KEY], NOW_S).priority == ""


@pytest.mark.parametrize("priority", ["high", "Urgent", "urgent;priority=urgent"])
def test_another_priority_is_no_token(priority: str) -> None:
    with pytest.raises(BadToken):
        make_token(Grant("trips/", NOW_S + 9, priority=priority), KEY)
