"""Endpoint images as the template takes them: by digest."""

from __future__ import annotations

REPOSITORY = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/team/darkroom"

IMAGE = f"{REPOSITORY}@sha256:{'1a' * 32}"
CANARY = f"{REPOSITORY}@sha256:{'2b' * 32}"
