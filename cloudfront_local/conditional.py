"""Conditional requests."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime


def _weak(tag: str) -> str:
    return tag.strip().removeprefix("W/")


def _time_s(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None


def not_modified(request: Mapping[str, str], answer: Mapping[str, str]) -> bool:
    """Return whether the validators of ``request`` match the response headers ``answer``. ``If-None-Match`` takes
    precedence.
    """
    if (wanted := request.get("if-none-match")) is not None:
        tag = answer.get("etag")
        return tag is not None and (wanted.strip() == "*" or _weak(tag) in map(_weak, wanted.split(",")))
    since_s = _time_s(request.get("if-modified-since", ""))
    changed_s = _time_s(answer.get("last-modified", ""))
    return since_s is not None and changed_s is not None and changed_s <= since_s


def same_representation(if_range: str, answer: Mapping[str, str]) -> bool:
    """Return whether ``If-Range`` matches this response: by a strong tag or the exact date."""
    if if_range.startswith("W/"):
        return False
    return if_range in {answer.get("etag"), answer.get("last-modified")}
