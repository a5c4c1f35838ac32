"""thumbor's URL language: ``/<signature|unsafe>/300x200/smart/filters:quality(80)/image.jpg``.

As of thumbor 7.8. What an option comes to is in :data:`COVERAGE`, which the parser goes by.
"""

from __future__ import annotations

from .parts import COVERAGE
from .reading import read
from .signing import check, sign

__all__ = ["COVERAGE", "check", "read", "sign"]
