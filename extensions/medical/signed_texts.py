"""Signed texts of medical images for the test vectors of signers, and what verifies them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl

from darkroom.signing import KeySource, Purpose, encode_base64url
from medical.access import TOKEN, URL, authorise

_STUDY = "2.25.1234"
_INSTANCE = f"/dicomweb/studies/{_STUDY}/series/2.25.5/instances/2.25.6"
TEXTS: Mapping[Purpose, Sequence[str]] = {
    URL: (
        f"{_INSTANCE}/rendered?window=40,400,linear&exp=1900000000",
        f"{_INSTANCE}/frames/3/rendered?exp=1900000000",
    ),
    TOKEN: (encode_base64url(f"1800000900:{_STUDY}".encode()), encode_base64url(b"1800000900:*")),
}


def accept(text: str, signature: str, keys: KeySource[tuple[str, ...]], now_s: float) -> None:
    """Raise DarkroomError unless the function would serve this image, or accept this token."""
    if text.startswith("/"):
        path, _, query = f"{text}&s={signature}".partition("?")
        authorise({"rawPath": path, "rawQueryString": query}, _STUDY, dict(parse_qsl(query)), keys, now_s)
    else:
        event = {"headers": {"authorization": f"Bearer {text}.{signature}"}}
        authorise(event, _STUDY, {}, keys, now_s)
