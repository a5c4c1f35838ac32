"""The URL language of AWS's Dynamic Image Transformation for Amazon CloudFront (Serverless Image Handler).

``/<base64 of JSON>``, ``/fit-in/300x200/filters:quality(80)/image.jpg``, and ``?format=webp&width=300`` behind either,
of version 7; of version 8 the query, ``?resize.width=300``. All come to edits, which are calls of sharp by name. What
each comes to is in :data:`COVERAGE`, by which they are read.
"""

from __future__ import annotations

from .signature import sign, verify
from .url import OPTION_MAPPINGS, parse

__all__ = ["OPTION_MAPPINGS", "parse", "sign", "verify"]
