"""Darkroom: pictures on demand from masters in S3."""
