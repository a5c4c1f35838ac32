"""Inference flow (docs/explanation/architecture.md): analyse masters by models and store the findings."""
