"""Measure medical images: grey levels beside those of pydicom and DCMTK, starts of the functions, and a viewer."""

from __future__ import annotations

from extensions import add_packages

add_packages()
