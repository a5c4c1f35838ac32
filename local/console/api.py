"""What the start page asks for, as plain values. The routes that carry it are the rim's:

``GET /`` index.html · ``GET /_local/console/<file>`` the page's files · ``GET /_local/stack`` :func:`facts` ·
``GET /_local/sign?url=...`` :func:`signed` · ``POST /_local/cdn/restart`` empties the CDN's cache ·
``GET /_local/journal?since=<number>`` the calls to origins.
"""

from __future__ import annotations

from collections.abc import Sequence

from darkroom.errors import BadOption, DarkroomError
from darkroom.plan.grammar.native import parse_url
from darkroom.plan.options import OPTIONS
from darkroom.plan.policy import AccessMode, needs_signature, unsigned_variants
from darkroom.plan.presets import configured
from darkroom.plan.signing import sign

type Json = dict[str, object]

_NOT_IN_THE_FORM = frozenset({"exp", "s"})


def facts(photos: Sequence[str], mode: str) -> Json:
    """What the page shows: the photographs in the bucket, the option table as a form, presets and the cost guard."""
    presets = configured()
    return {
        "photos": list(photos),
        "mode": mode,
        "presets": {name: dict(options) for name, options in presets.options.items()},
        "watermarks": list(presets.watermarks),
        "unsigned_variants": len(unsigned_variants("photo.jpg", presets)),
        "options": [
            {
                "name": option.short,
                "label": option.long,
                "kind": option.kind.name,
                "expects": option.kind.expects,
                "doc": option.doc,
                "rule": option.kind.rule(),
                "reserved": option.reserved,
            }
            for option in OPTIONS
            if option.short not in _NOT_IN_THE_FORM
        ],
    }


def signed(target: str, key: str, mode: str) -> Json:
    """``target`` with a signature where it needs one, and its canonical request; else the problem it has."""
    try:
        request = parse_url(target)
    except DarkroomError as error:
        option = error.option if isinstance(error, BadOption) else ""
        return {"status": error.status, "code": error.code, "detail": error.message, "option": option}
    if not needs_signature(request.plan, AccessMode(mode)):
        return {"url": target, "signed": False, "canonical": request.path}
    joint = "&" if "?" in target else "?"
    signature = sign(request.path, key, request.expires_s)
    return {"url": f"{target}{joint}s={signature}", "signed": True, "canonical": request.path}
