"""Bulk jobs: ingest, analyse or render presets for all keys of a prefix, a list or an S3 Inventory."""
