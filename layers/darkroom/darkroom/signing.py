"""Signatures of requests, and the schema of the secrets with signing keys.

A signature is unpadded base64url of HMAC-SHA256. That of an image is over a canonical request and its expiry, if it has
one, or over the viewer's URL as it is written (decision 71). Every other :class:`Purpose` has a domain, and most have a
key that is derived from the signing key (docs/reference/signatures.md, "Purposes").

The secret of the stack's own keys is ``{"current": "...", "previous": "..."}``; those of dialects are read with the
same checks. A document with one mistake is rejected completely. Problems name fields and do not quote values: they are
logged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar, Protocol, TypeVar

from .errors import BadSignature, Expired

MIN_KEY_CHARACTERS = 16
"""A shorter key could be guessed. 16 hexadecimal digits are 64 bits."""

MAX_KEY_CHARACTERS = 1024
MAX_KEYS = 16
"""Of one dialect. Each key costs an HMAC for every forged URL."""


class Purpose:
    """What a signature permits. Its domain, the name with a colon, precedes the signed text; images have none.

    No name begins with another one. Extensions have purposes of their own (``[purposes]`` in their
    ``extension.toml``).
    """

    IMAGE: ClassVar[Purpose]
    UPLOAD_TOKEN: ClassVar[Purpose]
    FINDINGS: ClassVar[Purpose]
    LARGE_COPY: ClassVar[Purpose]

    __slots__ = ("domain", "name")

    def __init__(self, name: str, domain: str | None = None) -> None:
        self.name, self.domain = name, f"{name}:" if domain is None else domain

    def __repr__(self) -> str:
        return f"Purpose({self.name!r})"

    def derive_key(self, key: str) -> bytes:
        """Return the key of this purpose: that of images and upload tokens is the signing key itself.

        Servers of users sign these two, in languages of their own. Neither begins with ``key:``, so that no signature
        of theirs is the key of another purpose.
        """
        import hmac

        if self in (Purpose.IMAGE, Purpose.UPLOAD_TOKEN):
            return key.encode()
        return hmac.digest(key.encode(), f"key:{self.domain}".encode(), "sha256")


Purpose.IMAGE = Purpose("image", "")
Purpose.UPLOAD_TOKEN = Purpose("upload-token")
Purpose.FINDINGS = Purpose("findings")
Purpose.LARGE_COPY = Purpose("large-copy")

PURPOSES = (Purpose.IMAGE, Purpose.UPLOAD_TOKEN, Purpose.FINDINGS, Purpose.LARGE_COPY)
"""Purposes of Darkroom without extensions."""

_CURRENT, _PREVIOUS = "current", "previous"
_SIGNATURE_NAMES = ("s", "signature")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})+")

T = TypeVar("T")
Keys = TypeVar("Keys")
Keys_co = TypeVar("Keys_co", covariant=True)


class KeySource(Protocol[Keys_co]):
    """A source of signing keys, such as :class:`darkroom.aws.secrets.Secret`."""

    def get(self, *, refresh: bool = False) -> Keys_co:
        """Return the keys that are valid now; ``refresh`` fetches them again if they are not fresh."""


def try_keys(keys: KeySource[Keys], check: Callable[[Keys], T], rejected: type[Exception]) -> T:
    """Return what ``check`` returns for the valid keys, or, where it raises ``rejected``, for fresh ones."""
    try:
        return check(keys.get())
    except rejected:
        return check(keys.get(refresh=True))


def sign(request_path: str, key: str, expires_s: int | None = None) -> str:
    """Sign a canonical request path for the option ``s``. ``expires_s`` is Unix time."""
    return sign_message(_signed_text(request_path, expires_s), key)


def sign_message(message: str, key: str, purpose: Purpose = Purpose.IMAGE) -> str:
    """Return the signature of ``message`` for ``purpose`` with a signing key.

    Raises ValueError for an image's message without a slash at its start: it could be one of another purpose.
    """
    import hmac  # with OpenSSL behind it: a cold start that verifies nothing does without

    if not _has_domain(message, purpose):
        raise ValueError("the text that is signed for an image begins with a slash")
    return encode_base64url(hmac.digest(purpose.derive_key(key), (purpose.domain + message).encode(), "sha256"))


def _has_domain(message: str, purpose: Purpose) -> bool:
    """Return whether no other purpose signs ``message``: the slash is the domain of images."""
    return purpose is not Purpose.IMAGE or message.startswith("/")


def encode_base64url(data: bytes) -> str:
    """Return ``data`` as unpadded base64url."""
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(data).rstrip(b"=").decode()


def is_signed(message: str, signature: str, keys: Sequence[str], purpose: Purpose = Purpose.IMAGE) -> bool:
    """Return whether one of the signing ``keys`` makes ``signature`` for ``message`` and ``purpose``."""
    import hmac

    if not _has_domain(message, purpose):
        return False
    given = signature.encode("utf-8", "surrogatepass")  # texts that are not ASCII cannot be compared
    candidates = [sign_message(message, key, purpose) for key in keys if key]
    return any(hmac.compare_digest(candidate.encode(), given) for candidate in candidates)


def remove_signature(url: str) -> str:
    """Return ``url``, a path with its query, without the signature: the text that a literal signature covers."""
    path, _, query = url.partition("?")
    kept = "&".join(pair for pair in query.split("&") if pair.partition("=")[0] not in _SIGNATURE_NAMES)
    return f"{path}?{kept}" if kept else path


def verify(
    request_path: str, signature: str, expires_s: int | None, keys: Sequence[str], now_s: float, url: str = ""
) -> bool:
    """Verify a signature with every valid key; raises BadSignature with the texts that it may cover, or Expired.

    Return whether it covers ``url``, the viewer's path and query, and not the canonical request. The caller then has to
    check that ``url`` is a request for ``request_path`` and ``expires_s``.
    """
    text, literal = _signed_text(request_path, expires_s), remove_signature(url)
    is_literal = not is_signed(text, signature, keys)
    if is_literal and not (literal and is_signed(literal, signature, keys)):
        texts = f"neither '{text}' (canonical request) nor '{literal}' (URL as written)" if literal else f"not '{text}'"
        raise BadSignature(f"The signature matches {texts}")
    if expires_s is not None and now_s >= expires_s:
        raise Expired
    return is_literal


def verify_text(
    purpose: Purpose,
    text: str,
    signature: str,
    expires_s: int | None,
    keys: KeySource[tuple[str, ...]],
    now_s: float,
) -> None:
    """Verify the signature of ``text``, also with fresh keys; raises BadSignature with the text, or Expired."""

    def check(valid: tuple[str, ...]) -> None:
        if not is_signed(text, signature, valid, purpose):
            raise BadSignature(f"The signature does not match '{text}' with the domain '{purpose.domain}'")

    try_keys(keys, check, BadSignature)
    if expires_s is not None and now_s >= expires_s:
        raise Expired


def _signed_text(request_path: str, expires_s: int | None) -> str:
    return request_path if expires_s is None else f"{request_path}?exp={expires_s}"


class InvalidSecret(ValueError):
    """The document does not conform to the schema. ``problems`` has a sentence for each mistake."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


def parse_secret(text: str) -> Mapping[str, object]:
    """Parse the JSON object in ``text``; raises InvalidSecret, also for a duplicate name."""
    import json

    try:
        found = json.loads(text, object_pairs_hook=_reject_duplicates)
    except InvalidSecret:
        raise
    except (ValueError, RecursionError):  # their messages may quote the document
        raise InvalidSecret(["the secret is not JSON"]) from None
    if not isinstance(found, dict):
        raise InvalidSecret(["the secret is not a JSON object"])
    return found


def parse_signing_keys(document: Mapping[str, object]) -> tuple[str, ...]:
    """Return the valid keys, the current one first. ``previous`` may be missing or empty. Raises InvalidSecret."""
    problems = list(find_unknown_fields(document, (_CURRENT, _PREVIOUS), ""))
    if _CURRENT not in document:
        problems.append(f"{_CURRENT} is missing")
    found = {name: value for name, value in document.items() if not (name == _PREVIOUS and value == "")}
    named = {name: found[name] for name in (_CURRENT, _PREVIOUS) if name in found}
    problems += [problem for name, value in named.items() if (problem := find_key_problem(value, name))]
    if problems:
        raise InvalidSecret(problems)
    return tuple(str(value) for value in named.values())


def find_key_problem(value: object, where: str) -> str:
    """Return what is wrong with ``value`` as the key at ``where``; empty if it is valid."""
    if not isinstance(value, str):
        return f"{where} is not text"
    if len(value) < MIN_KEY_CHARACTERS:
        return f"{where} has fewer than {MIN_KEY_CHARACTERS} characters"
    if len(value) > MAX_KEY_CHARACTERS:
        return f"{where} has more than {MAX_KEY_CHARACTERS} characters"
    if not value.isprintable() or value != value.strip():  # also lone surrogates, which UTF-8 cannot encode
        return f"{where} has control characters, or spaces around it"
    return ""


def find_hex_problem(value: object, where: str) -> str:
    """Return what is wrong with ``value`` as the hexadecimal bytes at ``where``; empty if they are valid."""
    if isinstance(value, str) and len(value) <= MAX_KEY_CHARACTERS and _HEX.fullmatch(value):
        return ""
    return f"{where} is not an even number of hexadecimal digits"


def find_unknown_fields(document: Mapping[str, object], known: Iterable[str], where: str) -> Iterable[str]:
    """Yield a problem if ``document`` has names other than ``known``, without names: one may be a key."""
    if not document.keys() <= set(known):
        yield f"{where or 'the secret'} has fields other than {', '.join(known)}"


def _reject_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise InvalidSecret(["a name is given twice in one object"])
    return found
