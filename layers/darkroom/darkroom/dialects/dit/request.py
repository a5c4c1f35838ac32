"""What each form of a DIT URL comes to before its edits are read."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...errors import BadKey
from ...plan.keys import quote_key
from .model import Json


@dataclass(frozen=True, slots=True)
class DitRequest:
    """``address`` is the source's, percent-encoded; ``edits`` are sharp's calls by name, in order.

    ``output`` is the format that the request names beside its edits, ``quality`` the one that it names for whatever
    format comes out.
    """

    address: str
    edits: Json = field(default_factory=dict)
    output: str = ""
    quality: int | None = None
    max_age_s: int | None = None


def format_address(bucket: str, key: str) -> str:
    """The address of ``key`` in ``bucket``, which may be none; raises BadKey where the key is no text."""
    try:
        quoted = quote_key(key)
    except UnicodeError as error:
        raise BadKey("The key is not text", detail=str(error)) from error
    return f"s3://{bucket}/{quoted}" if bucket else quoted
