"""Darkroom: images on demand from masters in S3."""
