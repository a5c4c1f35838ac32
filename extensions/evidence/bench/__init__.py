"""Measure how often the measures of the evidence report are right."""

from __future__ import annotations

from extensions import add_packages

add_packages()
