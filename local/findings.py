"""Which generation of findings the running stack makes pictures with: an entry of the edge's key-value store."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cloudfront_local.key_values import KeyValues, StoreChanged
from darkroom.plan.options import GENERATION_TYPE
from darkroom.plan.redaction import FIRST_GENERATION

from .errors import StartError

ENTRY = "findings"
"""The key that functions/edge/handler.js reads."""


def active(values: Mapping[str, str]) -> str:
    """The generation that a store with these values makes the active one."""
    return values.get(ENTRY, FIRST_GENERATION)


def activate(facts: Mapping[str, Any], generation: str | None) -> str:
    """Make ``generation`` the active one, if any is given; which one is. Raises CannotStart if it is no name of one."""
    stores, store = KeyValues(facts["aws_endpoint_url"]), facts["outputs"]["FindingsStoreArn"]
    if generation is not None:
        if not re.fullmatch(GENERATION_TYPE.pattern, generation):
            raise StartError(f"A generation has a name of {GENERATION_TYPE.allowed_values}.")
        try:
            stores.write(store, ENTRY, generation)
        except StoreChanged:
            raise StartError("Somebody else wrote to the store at the same time. Try again.") from None
    return active(stores.read(store))
