"""Generated physical names that differ by region, as in CloudFormation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HOME = "us-east-1"
"""The region of the local stack, whose names do not change."""


def differ_by_region(provisioners: Any, environment: Mapping[str, str]) -> None:
    """Make names in other regions than MiniStack's own depend on the region.

    CloudFormation ends a generated name with random characters. MiniStack 1.5.33 derives them from stack and logical id
    only: two stacks of the same name in two regions share roles, and the second deployment replaces the policies of the
    first. ``provisioners`` is the module of its CloudFormation that generates names.
    """
    own, seed, home = provisioners._physical_name, provisioners._NAME_SEED, environment.get("MINISTACK_REGION", HOME)

    def name(stack_name: str, logical_id: str, **options: Any) -> str:
        region = provisioners.get_region()
        if region == home:
            return str(own(stack_name, logical_id, **options))
        token = seed.set(f"{seed.get()}@{region}")
        try:
            return str(own(stack_name, logical_id, **options))
        finally:
            seed.reset(token)

    provisioners._physical_name = name
