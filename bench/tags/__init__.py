"""Evaluate tags and look-alikes on labelled photographs of packages.

``python -m bench.tags`` writes the results into docs/guides/tags.md, and a page with images.
"""
