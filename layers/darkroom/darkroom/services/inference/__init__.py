"""Inference flow (docs/architecture.md): analyse masters with models and store the findings."""
