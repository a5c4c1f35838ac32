"""Darkroom: images on demand from masters in S3."""

from .compiled_dataclasses import install

VERSION = "1.0.0"
"""The version of pyproject.toml, which functions do not have."""

install()
del install
