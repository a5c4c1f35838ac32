"""The entries of CloudFront's KeyValueStore that the edge function reads its settings from.

One store belongs to a deployment. ``findings`` (the active generation) is in it as before; a published settings
document adds these, and replaces the defaults that are compiled into the function:

``settings``
    The access mode, and after a space the AlwaysRedact rules if there are any: ``guarded people/=faces``. Read with
    each request. Without this entry nothing is published, and the function uses its compiled-in settings and presets.
``presets``
    How a refusal lists the presets.
``preset-<name>``
    What a preset sets, as JSON: canonical spellings by short option name.
``unsigned-<options>.<format>``
    The canonical request of a preset, which needs no signature in guarded mode. The rest of the unsigned set does not
    depend on settings and is compiled in.

A publisher writes ``settings`` after all others, and deletes ``stale_keys`` last, so that no request finds half of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from .canonical import options_text
from .negotiation import is_ladder
from .options import BY_NAME
from .policy import AccessMode
from .presets import Presets, listed
from .redaction import AlwaysRedact

MAX_KEY_BYTES = 512
MAX_ENTRY_BYTES = 1024
"""Of a key and its value. "Quotas", CloudFront Developer Guide, has 512 bytes for a key and 1 KB for a value; this is
the stricter reading, in which the value's limit counts the key."""

MAX_UPDATES = 50
"""Puts and deletes in one UpdateKeys call ("Quotas", CloudFront Developer Guide)."""

SETTINGS_KEY = "settings"
PRESETS_KEY = "presets"
PRESET_PREFIX = "preset-"
UNSIGNED_PREFIX = "unsigned-"


def settings_text(access_mode: str, always_redact: str) -> str:
    """The value of ``settings``."""
    return f"{access_mode} {always_redact}".rstrip(" ")


def edge_entries(access_mode: AccessMode, always_redact: str, presets: Presets) -> Mapping[str, str]:
    """The store's entries for these settings, ``settings`` last.

    Raises ValueError if ``always_redact`` is not understood, or an entry is over the store's limits.
    """
    AlwaysRedact.parse(always_redact)
    entries = {PRESETS_KEY: listed(presets.options)}
    entries |= {PRESET_PREFIX + name: _values(presets, name) for name in presets.options}
    plans = presets.plans("").values()
    entries |= {f"{UNSIGNED_PREFIX}{options_text(plan)}.{plan.format}": "1" for plan in plans if not is_ladder(plan)}
    entries[SETTINGS_KEY] = settings_text(access_mode, always_redact)
    for key, value in entries.items():
        if len(key.encode()) > MAX_KEY_BYTES or len((key + value).encode()) > MAX_ENTRY_BYTES:
            raise ValueError(f"The edge's entry {key!r} is over the limits of CloudFront's KeyValueStore")
    return entries


def stale_keys(held: Iterable[str], entries: Mapping[str, str]) -> list[str]:
    """Those of the keys that a store holds which settings once wrote and ``entries`` have no more."""
    prefixes = (PRESET_PREFIX, UNSIGNED_PREFIX)
    return sorted(key for key in held if key.startswith(prefixes) and key not in entries)


def _values(presets: Presets, name: str) -> str:
    spelled = {short: BY_NAME[short].kind.write(value) for short, value in presets.values(name).items()}
    return json.dumps(spelled, separators=(",", ":"))
