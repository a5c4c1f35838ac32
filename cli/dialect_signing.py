"""URLs of dialects, signed with the keys of a stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from darkroom_dialects import cloudinary, dit, imgix, imgproxy, thumbor
from darkroom_dialects.common.parsed_url import DialectKey
from darkroom_dialects.registry import DIALECTS_BY_NAME
from darkroom_dialects.serving.signing_keys import KeysByDialect


def sign_in_dialect(dialect: str, target: str, keys: KeysByDialect) -> str:
    """Sign ``target``, a path of the dialect without a signature; return it with the dialect's prefix.

    ``/w:300/plain/photo.jpg`` in imgproxy, ``/300x200/photo.jpg`` in thumbor, ``/photo.jpg?width=300`` in dit,
    ``/photo.jpg?w=300`` in imgix, ``/demo/image/upload/w_300/photo.jpg`` in cloudinary. Raises ValueError for a dialect
    without signatures, and BadKey for a path that is not of the dialect.
    """
    if dialect not in _SIGNED:
        raise ValueError(f"{dialect} has no signed URLs. Dialects with signatures: {', '.join(_SIGNED)}")
    known = DIALECTS_BY_NAME[dialect]
    path = "/" + target.removeprefix(known.prefix + "/").removeprefix("/")
    return known.prefix + _SIGNED[dialect](path, keys[dialect][0])


def _imgproxy(path: str, key: DialectKey) -> str:
    return f"/{imgproxy.sign(path.encode(), key)}{path}"


def _thumbor(path: str, key: DialectKey) -> str:
    return f"/{thumbor.sign(path[1:].encode(), key)}{path}"


def _dit(path: str, key: DialectKey) -> str:
    route, _, query = path.partition("?")
    pairs = sorted(pair for pair in query.split("&") if pair and not pair.startswith("signature="))
    message = f"{route}?{'&'.join(pairs)}" if pairs else route
    return f"{route}?{'&'.join([*pairs, f'signature={dit.sign(message.encode(), key)}'])}"


def _imgix(path: str, key: DialectKey) -> str:
    route, _, query = path.partition("?")
    pairs = [pair for pair in query.split("&") if pair and not pair.startswith("s=")]
    message = f"{route}?{'&'.join(pairs)}" if pairs else route
    return f"{route}?{'&'.join([*pairs, f's={imgix.sign(message.encode(), key)}'])}"


_SIGNED: Mapping[str, Callable[[str, DialectKey], str]] = {
    "imgproxy": _imgproxy,
    "thumbor": _thumbor,
    "dit": _dit,
    "imgix": _imgix,
    "cloudinary": cloudinary.insert_signature,
}
