"""The commands, one module for each group. Imports of what a command works with are in its function: help is fast."""

from __future__ import annotations

from extensions import list_extensions

from ..app import app
from . import (
    builds,
    completion,
    cost,
    deployments,
    doctor,
    experiments,
    extensions,
    findings,
    functions,
    golden,
    images,
    library,
    migration,
    operations,
    registry,
    releases,
    removals,
    replay,
    runbooks,
    settings,
    stack,
    training,
)

for _extension in list_extensions():
    _extension.load("cli")  # adds its group to the app

__all__ = [
    "app",
    "builds",
    "completion",
    "cost",
    "deployments",
    "doctor",
    "experiments",
    "extensions",
    "findings",
    "functions",
    "golden",
    "images",
    "library",
    "migration",
    "operations",
    "registry",
    "releases",
    "removals",
    "replay",
    "runbooks",
    "settings",
    "stack",
    "training",
]
