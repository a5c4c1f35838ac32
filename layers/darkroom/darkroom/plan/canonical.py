"""The canonical path: the unique name of a derivative.

``/<key>/_/<options>.<format>``: the key is encoded (:mod:`darkroom.image_keys`), options are ``name-value`` in
alphabetical order
joined by ``_``, or ``full`` where there are none. Below the prefix ``derivatives`` it is the S3 key of the derivative,
and with ``f=auto`` not yet negotiated it is the canonical *request*, which signatures are made over.
"""

from __future__ import annotations

from ..errors import BadKey, BadOption
from ..image_keys import MAX_ENCODED_KEY_BYTES, check_key, decode_escapes, decode_key, encode_key
from .model import AUTO_CLASSES, DATA_FORMATS, EXTENDED_FORMATS, IMAGE_FORMATS, Plan
from .normalize import build_plan
from .option_plugins import NO_TEXTS, check_plugin_options, get_plugin_texts
from .option_types import FileName, Value, split_parts
from .options import CANONICAL_OPTIONS, OPTIONS_BY_SHORT, make_bad_option
from .redaction import check_first_page

SEPARATOR = "/_/"
NO_OPTIONS = "full"
MAX_OPTIONS_BYTES = 800
"""Of a request, whatever its key."""
MAX_REQUEST_BYTES = 951
"""Of a canonical request without its extension. S3 allows names of 1,024 bytes ("Naming Amazon S3 objects"): 11 for
``derivatives``, these, 5 that negotiation may add (``_q-50``), 5 for rights (``_cr-1``), 28 that the deployment may
force (``_redact-`` and the words of its rules, :data:`darkroom.plan.redaction.MAX_FORCED_CHARACTERS`), 12 for the
generation of findings (``_fv-`` and 8) and 12 for ``.auto-legacy``."""
MIN_OPTIONS_BYTES = MAX_REQUEST_BYTES - len("/") - MAX_ENCODED_KEY_BYTES - len(SEPARATOR)
"""The length of options that fits with the longest key. It limits presets, which are for all keys."""

_DEFAULTS = Plan("")
_FORMATS = frozenset({*IMAGE_FORMATS, *EXTENDED_FORMATS, *DATA_FORMATS, "auto", *AUTO_CLASSES})


def options_text(plan: Plan) -> str:
    """Return the part of the canonical path between ``/_/`` and the extension."""
    words = [
        f"{option.short}-{option.type.format(value)}"
        for option in CANONICAL_OPTIONS
        if (value := getattr(plan, option.plan_field)) != getattr(_DEFAULTS, option.plan_field)
    ]
    return "_".join(words) or NO_OPTIONS


def canonical_path(plan: Plan) -> str:
    """Return the canonical path of ``plan``."""
    return "/" + derivative_name(plan)


def check_length(plan: Plan) -> None:
    """Raise BadOption if the options of ``plan``, a request, exceed the length limit, also that for its key."""
    start = f"/{encode_key(plan.key)}{SEPARATOR}"
    room = min(MAX_OPTIONS_BYTES, MAX_REQUEST_BYTES - len(start))
    if len(options_text(plan)) > room:
        raise BadOption(f"The options are longer than {room} characters together")


def derivative_name(plan: Plan) -> str:
    """Return the object name below the prefix of derivatives: the canonical path without its first slash."""
    return f"{encode_key(plan.key)}{SEPARATOR}{options_text(plan)}.{plan.format}"


def parse_path(path: str) -> Plan:
    """Parse a canonical ``path``.

    Raises BadKey or BadOption if ``path`` is not exactly the canonical path of a Plan: a second spelling would be a
    second derivative.
    """
    encoded, separator, file_name = path.removeprefix("/").rpartition(SEPARATOR)
    text, dot, output = file_name.rpartition(".")
    if not separator or not dot or output not in _FORMATS:
        raise BadKey("The path is not a canonical path")
    try:
        values = dict(_parse_option(word) for word in text.split("_")) if text != NO_OPTIONS else {}
        plan = build_plan(check_key(decode_key(encoded)), {**values, "f": output})
        check_first_page(plan)
        if get_plugin_texts(plan) != NO_TEXTS:
            check_plugin_options(plan)
        if canonical_path(plan) == path:
            return plan
    except (UnicodeError, ValueError, KeyError) as error:
        raise BadOption("The path is not a canonical path", detail=repr(error)) from error
    raise BadOption("The path is not a canonical path", detail=canonical_path(plan))


def _parse_option(word: str) -> tuple[str, Value]:
    name, _, spelling = word.partition("-")
    option = OPTIONS_BY_SHORT[name]
    is_text = isinstance(option.type, FileName)
    try:
        return name, option.type.parse([decode_escapes(spelling)] if is_text else split_parts(spelling))
    except ValueError as error:
        raise make_bad_option(option, spelling) from error
