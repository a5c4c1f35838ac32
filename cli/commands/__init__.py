"""The commands, one module for each group. Imports of what a command works with are in its function: help is fast."""

from __future__ import annotations

from ..app import app
from . import (
    builds,
    completion,
    deployments,
    documents,
    evidence,
    experiments,
    findings,
    functions,
    golden,
    images,
    library,
    map_tiles,
    medical,
    operations,
    registry,
    replay,
    runbooks,
    settings,
    stack,
    textures,
    training,
)

__all__ = [
    "app",
    "builds",
    "completion",
    "deployments",
    "documents",
    "evidence",
    "experiments",
    "findings",
    "functions",
    "golden",
    "images",
    "library",
    "map_tiles",
    "medical",
    "operations",
    "registry",
    "replay",
    "runbooks",
    "settings",
    "stack",
    "textures",
    "training",
]
