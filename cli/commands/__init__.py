"""The commands, one module for each group. Imports of what a command works with are in its function: help is fast."""

from __future__ import annotations

from ..app import app
from . import completion, deployments, functions, images, library, models, operations, settings, stack

__all__ = [
    "app",
    "completion",
    "deployments",
    "functions",
    "images",
    "library",
    "models",
    "operations",
    "settings",
    "stack",
]
