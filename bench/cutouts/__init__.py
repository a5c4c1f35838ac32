"""Measure cut-outs of foregrounds with known coverage, composed over photographs.

``python -m bench.cutouts`` writes the tables of docs/guides/cut-outs.md, and the images into ``.local/cutouts``.
"""
