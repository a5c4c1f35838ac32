"""The official validator of the IIIF Image API 3.0, run against a stack of its own: ``make conformance``."""

TESTS = 33
"""How many tests iiif-validator 1.0.5 has for version 3.0 at level 2 and below."""
