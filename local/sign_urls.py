"""Signing URLs with the stack's key, as an application would with its own copy of it."""

from __future__ import annotations

from darkroom.plan.native_url import parse_url
from darkroom.plan.options import OPTIONS_BY_NAME
from darkroom.plan.signing import sign

_REPLACED = frozenset(name for name, option in OPTIONS_BY_NAME.items() if option.short in ("exp", "s"))


def sign_target(target: str, key: str, expires_s: int | None = None) -> str:
    """``target`` (path and query as a viewer sends them) with its signature, valid until ``expires_s`` (Unix time).

    An ``exp`` or ``s`` that it has already is replaced. Raises a DarkroomError where ``target`` is no valid request.
    """
    path, _, query = ("/" + target.removeprefix("/")).partition("?")
    kept = [pair for pair in query.split("&") if pair and pair.partition("=")[0] not in _REPLACED]
    request = parse_url(path + ("?" + "&".join(kept) if kept else ""))
    if expires_s is not None:
        kept.append(f"exp={expires_s}")
    kept.append(f"s={sign(request.path, key, expires_s)}")
    return f"{path}?{'&'.join(kept)}"
