"""Run the official validator of the IIIF Image API 2.1 and 3.0 against an isolated stack: ``make conformance``."""

TESTS = {"2.0": 30, "3.0": 33}
"""Number of tests of iiif-validator 1.0.5 at level 2 and below, by its version names: 2.0 is 2.1."""
