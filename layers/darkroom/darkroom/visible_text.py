"""Show keys and other texts of clients: none of their characters moves a cursor, ends a line or turns its direction.

review/pages/page.js and frontends/visible-text.mjs have the same function for pages.
"""

from __future__ import annotations

import re

HIDDEN = "\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
"""Ranges of control characters, line separators, characters that set the direction of text (Unicode, Bidi_Control), and
halves of surrogate pairs, which cannot be written."""

_HIDDEN = re.compile(f"[{HIDDEN}]")


def escape_controls(text: str, keep: str = "") -> str:
    """Replace hidden characters, but for those of ``keep``, by escapes such as ``\\u202e``, as JSON and TOML do."""
    return _HIDDEN.sub(lambda found: found[0] if found[0] in keep else f"\\u{ord(found[0]):04x}", text)


def escape_html(text: str) -> str:
    """Escape ``text`` for HTML, its hidden characters too."""
    from html import escape

    return escape(escape_controls(text, keep="\n\t"))
