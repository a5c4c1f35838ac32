"""thumbor's URL language: ``/<signature|unsafe>/300x200/smart/filters:quality(80)/image.jpg``.

As of thumbor 7.8. What an option comes to is in :data:`COVERAGE`, which the parser goes by.
"""

from __future__ import annotations

from .path_segments import OPTION_MAPPINGS
from .signature import sign, verify
from .url import parse

__all__ = ["OPTION_MAPPINGS", "parse", "sign", "verify"]
