"""Inference flow (docs/explanation/architecture.md): analyse masters with models and store the findings."""
