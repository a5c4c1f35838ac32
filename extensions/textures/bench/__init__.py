"""Measure textures: sizes, times and scores of encoders, decoding by three.js, and a page with a textured cube."""

from __future__ import annotations

from extensions import add_packages

add_packages()
