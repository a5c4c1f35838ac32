"""The entries of CloudFront's key-value store that the edge function reads: settings, presets and error bodies.

A deployment has one store. The entry ``findings`` is the active generation. A published settings document adds these
entries, which replace the defaults that are compiled into the function:

``settings``
    The access mode, the ForcedOptions rules, ``rights`` if files have them by default, ``function`` if the CDN asks
    the function before the store, and the prefixes of private images, percent-encoded below a slash and with commas
    between, with a space between the parts: ``guarded people/=faces-plate rights``. Empty parts at the end are left
    out. Read with each request that is not refused before. Without this entry nothing is published, and the function
    uses its compiled-in settings and presets.
``keys``
    The signing keys as a JSON list, where there are private prefixes. Read with each request for a private image.
``preset-<name>``
    What a preset sets and is not the default, as JSON: canonical spellings by short option name.
``unsigned-<options>.<format>``
    The canonical request of a preset, which needs no signature in guarded mode however it is spelled. The rest of the
    unsigned set does not depend on settings and is compiled in.
``exp-<name>``
    An experiment: where a request has the visitor's identifier (a name, and ``cookies`` or ``headers``), the point of
    the hash, and the end and the preset of each share of the visitors.
``refusal-<code>`` and ``refusal-<code>.<mistake>``
    The body of an error response, with ``%s`` in place of the client's text. Without the entry the function responds
    with status and code only.

A publisher writes ``settings`` after all others, and deletes ``find_stale_keys`` last, so that no request finds half
of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from darkroom.errors import (
    BadKey,
    BadOption,
    BadSignature,
    DarkroomError,
    DuplicateOption,
    Expired,
    MethodNotAllowed,
    UnknownOption,
    Unsigned,
)
from darkroom.image_keys import MAX_ENCODED_KEY_BYTES, quote_key
from darkroom.image_keys import MAX_KEY_BYTES as MAX_IMAGE_KEY_BYTES
from darkroom.plan.canonical import options_text
from darkroom.plan.forced_options import ForcedOptions
from darkroom.plan.model import METADATA, RIGHTS
from darkroom.plan.options import NATIVE_OPTIONS, OPTIONS_BY_NAME
from darkroom.plan.presets import Presets, format_names
from darkroom.plan.variants import NEEDS_EXPIRY, PRESETS, UNSIGNED_SET, AccessMode, is_ladder_request

MAX_KEY_BYTES = 512
MAX_ENTRY_BYTES = 1024
"""Of a key and its value. "Quotas", CloudFront Developer Guide, has 512 bytes for a key and 1 KB for a value; this is
the stricter reading, in which the value's limit counts the key."""

MAX_UPDATES = 50
"""Puts and deletes in one UpdateKeys call ("Quotas", CloudFront Developer Guide)."""

SETTINGS_KEY = "settings"
PRESET_PREFIX = "preset-"
UNSIGNED_PREFIX = "unsigned-"
REFUSAL_PREFIX = "refusal-"
EXPERIMENT_PREFIX = "exp-"
KEYS_KEY = "keys"
_PREFIXES = (PRESET_PREFIX, UNSIGNED_PREFIX, REFUSAL_PREFIX, EXPERIMENT_PREFIX, KEYS_KEY)

PLACEHOLDER = "%s"
"""Stands for the client's text in an error body."""


FUNCTION_FIRST = "function"
"""The last part of ``settings`` where only what ingest has rendered is stored (``store_derivatives``): other URLs than
those of presets are requested from the function first, which spares a miss the store's 404."""


@dataclass(frozen=True, slots=True)
class PrivateImages:
    """What the edge verifies at every request: images below the key ``prefixes``, by the signing ``keys``."""

    prefixes: tuple[str, ...] = ()
    keys: tuple[str, ...] = field(default=(), repr=False)

    def format_prefixes(self) -> str:
        """Format the part of ``settings``. A slash is before each prefix, so that the empty one has a text, too."""
        return ",".join(f"/{quote_key(prefix)}" for prefix in self.prefixes)

    def format_keys(self) -> str:
        """Format the entry of the keys. Raises ValueError without a key, and for one with characters beyond ASCII."""
        if not self.keys or not all(map(str.isascii, self.keys)):
            raise ValueError("private_prefixes need signing keys of ASCII characters")
        return json.dumps(self.keys, separators=(",", ":"))


NO_PRIVATE_IMAGES = PrivateImages()


def format_settings(
    access_mode: str,
    forced: str,
    metadata: str = METADATA[0],
    stores: bool | str = True,
    private: PrivateImages = NO_PRIVATE_IMAGES,
) -> str:
    """Format the value of ``settings``. ``stores`` is ``store_derivatives``."""
    first = FUNCTION_FIRST if stores in (False, PRESETS) else ""
    rights = metadata if metadata == RIGHTS else ""
    return f"{access_mode} {forced} {rights} {first} {private.format_prefixes()}".rstrip(" ")


def build_edge_entries(
    access_mode: AccessMode,
    forced: str,
    presets: Presets,
    metadata: str = METADATA[0],
    experiments: Mapping[str, str] = MappingProxyType({}),
    stores: bool | str = True,
    private: PrivateImages = NO_PRIVATE_IMAGES,
) -> Mapping[str, str]:
    """Build the entries of the store for these settings, ``settings`` last. ``experiments`` are entries by name,
    ``stores`` is ``store_derivatives``.

    Raises ValueError if ``forced`` is invalid, private images have no keys that the edge can use, or an entry
    exceeds the limits of the store.
    """
    forced = ForcedOptions.parse(forced).text
    plans = presets.build_plans("").values()
    entries = {
        **{REFUSAL_PREFIX + name: _format_body(error) for name, error in _list_refusals(presets).items()},
        **{PRESET_PREFIX + name: _format_values(presets, name) for name in presets.options},
        **{
            f"{UNSIGNED_PREFIX}{options_text(plan)}.{plan.format}": "1" for plan in plans if not is_ladder_request(plan)
        },
        **{EXPERIMENT_PREFIX + name: entry for name, entry in experiments.items()},
        **({KEYS_KEY: private.format_keys()} if private.prefixes else {}),
        SETTINGS_KEY: format_settings(access_mode, forced, metadata, stores, private),
    }
    for key, value in entries.items():
        if len(key.encode()) > MAX_KEY_BYTES or len((key + value).encode()) > MAX_ENTRY_BYTES:
            raise ValueError(f"The entry {key!r} exceeds the limits of CloudFront's key-value store")
    return entries


def find_stale_keys(held: Iterable[str], entries: Mapping[str, str]) -> list[str]:
    """Return those of the store's keys that earlier settings wrote and ``entries`` lacks."""
    return sorted(key for key in held if key.startswith(_PREFIXES) and key not in entries)


def _format_values(presets: Presets, name: str) -> str:
    options = ((OPTIONS_BY_NAME[short], value) for short, value in presets.parse_values(name).items())
    spelled = {option.short: option.type.format(value) for option, value in options if value != option.default}
    return json.dumps(spelled, separators=(",", ":"))


def _list_refusals(presets: Presets) -> dict[str, DarkroomError]:
    """Return the errors of the edge function, by their names in ``functions/edge``."""
    preset = f"preset: there is no preset '{PLACEHOLDER}'; there are {format_names(presets.options)}"
    values = {
        f"bad-option.{option.short}": BadOption(
            f"{option.short} must be {option.type.allowed_values}, but is '{PLACEHOLDER}'", option=option.short
        )
        for option in NATIVE_OPTIONS
    }
    return values | {
        "bad-key.utf8": BadKey("The path is not percent-encoded UTF-8"),
        "bad-key.none": BadKey("The path names no image"),
        "bad-key.long": BadKey(f"The key is longer than {MAX_IMAGE_KEY_BYTES} bytes"),
        "bad-key.coded": BadKey(
            f"The key takes {PLACEHOLDER} bytes once encoded; at most {MAX_ENCODED_KEY_BYTES} are allowed"
        ),
        "bad-key.byte": BadKey("The key holds a control character"),
        "bad-key.dots": BadKey("The key has an empty segment, or one that is . or .."),
        "bad-key.taken": BadKey("/_/ is reserved and may not appear in a key"),
        "bad-option.utf8": BadOption("The query is not percent-encoded UTF-8"),
        "bad-option.long": BadOption(f"The options are longer than {PLACEHOLDER} characters together"),
        "bad-option.pages": BadOption("Only page 0 can be redacted or cut out, or has boxes", option="page"),
        "bad-option.name": BadOption(preset, option="preset"),
        "unknown-option": UnknownOption("There is no option ''"),
        "unknown-option.name": UnknownOption(f"There is no option '{PLACEHOLDER}'", option=PLACEHOLDER),
        "duplicate-option": DuplicateOption(f"{PLACEHOLDER} was given twice", option=PLACEHOLDER),
        "bad-signature": BadSignature(),
        "unsigned": Unsigned(),
        "unsigned.set": Unsigned(UNSIGNED_SET),
        "unsigned.end": Unsigned(NEEDS_EXPIRY),
        "expired": Expired(),
        "method-not-allowed": MethodNotAllowed(),
        "internal": DarkroomError(),
    }


def _format_body(error: DarkroomError) -> str:
    """Format the problem document of ``error``, as the functions behind the CDN do."""
    return json.dumps(error.to_problem(), separators=(",", ":"))
