"""URLs of AWS's Dynamic Image Transformation for Amazon CloudFront (DIT, formerly Serverless Image Handler).

``/<base64 of JSON>``, ``/fit-in/300x200/filters:quality(80)/image.jpg``, and ``?format=png&width=300`` after either,
of version 7; of version 8 the query, ``?resize.width=300``. All contain edits: calls of sharp, by name.
"""

from .url import OPTION_MAPPINGS, parse, sign, verify

__all__ = ["OPTION_MAPPINGS", "parse", "sign", "verify"]
