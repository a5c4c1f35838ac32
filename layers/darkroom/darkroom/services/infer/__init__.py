"""Inference flow (docs/architecture.md): analyse masters by models and store the findings."""
