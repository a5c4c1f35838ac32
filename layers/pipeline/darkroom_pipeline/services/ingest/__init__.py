"""Ingest flow (docs/explanation/architecture.md): turn an upload into an indexed master with presets, or refuse it."""
