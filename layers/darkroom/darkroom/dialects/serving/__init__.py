"""Serve dialects: authorise requests, choose the variant, limit the age of responses.

:mod:`darkroom.dialects` has the parsers. :mod:`darkroom.dialects.serving.iiif` serves IIIF.
"""
