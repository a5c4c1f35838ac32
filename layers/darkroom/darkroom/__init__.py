"""Darkroom: images on demand from masters in S3."""

from .compiled_dataclasses import install

install()
del install
