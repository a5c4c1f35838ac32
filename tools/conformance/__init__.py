"""The official validator of the IIIF Image API 2.1 and 3.0, run against a stack of its own: ``make conformance``."""

TESTS = {"2.0": 30, "3.0": 33}
"""How many tests iiif-validator 1.0.5 has at level 2 and below, by its name of the version: 2.0 stands for 2.1 too."""
