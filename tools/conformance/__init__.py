"""The official validator of the IIIF Image API 3.0, run against a stack of its own: ``make conformance``."""
