"""Serve dialects: authorise requests, choose the variant, limit the age of responses.

:mod:`darkroom_dialects` has the parsers. :mod:`darkroom_dialects.serving.iiif` serves IIIF.
"""
