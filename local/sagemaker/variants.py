"""Endpoints and their production variants, and the selection of a variant for a call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from .service_errors import RequestError, validation


@dataclass(frozen=True, slots=True)
class Variant:
    """A production variant. Its share of calls is ``weight`` divided by the sum of weights; its container is at
    ``url``.

    ``image`` is the URI of its models' folder, which DescribeEndpoint returns as the image. All of its ``instances``
    are the one container.
    """

    name: str
    weight: float
    url: str
    image: str = ""
    instances: int = 1


def choose_variant(endpoint: str, variants: Sequence[Variant], *, at: float, target: str = "") -> Variant:
    """Return the variant for a call: ``target`` if it is given, else the one whose share contains ``at`` (0 to 1).

    Raises RequestError if no variant has that name, and if all weights are 0.
    """
    if target:
        for variant in variants:
            if variant.name == target:
                return variant
        raise RequestError(validation(f"Variant {target} not found for endpoint {endpoint}"))
    sharing = [variant for variant in variants if variant.weight > 0]
    if not sharing:
        raise RequestError(validation(f"Endpoint {endpoint} has no variant with a weight"))
    upto = accumulate(variant.weight for variant in sharing)
    position = at * sum(variant.weight for variant in sharing)
    return next((variant for variant, end in zip(sharing, upto, strict=True) if position < end), sharing[-1])


class Endpoints:
    """The endpoints in service, with the number of calls of each variant. Both may change at any time."""

    def __init__(self) -> None:
        self._variants: dict[str, tuple[Variant, ...]] = {}
        self._invocations: dict[tuple[str, str], int] = {}

    def put(self, endpoint: str, variants: Sequence[Variant]) -> None:
        """Set the variants of ``endpoint``."""
        self._variants[endpoint] = tuple(variants)

    def variants(self, endpoint: str) -> tuple[Variant, ...]:
        """Return the variants of ``endpoint``; raises RequestError if it does not exist."""
        if endpoint not in self._variants:
            raise RequestError(validation(f"Endpoint {endpoint} of account 000000000000 not found."))
        return self._variants[endpoint]

    def count(self, endpoint: str, variant: Variant) -> None:
        """Count one call of ``variant``."""
        name = endpoint, variant.name
        self._invocations[name] = self._invocations.get(name, 0) + 1

    def describe(self) -> dict[str, list[dict[str, object]]]:
        """Return all endpoints as JSON values, by name."""
        return {
            endpoint: [
                {
                    "name": variant.name,
                    "weight": variant.weight,
                    "url": variant.url,
                    "image": variant.image,
                    "instances": variant.instances,
                    "invocations": self._invocations.get((endpoint, variant.name), 0),
                }
                for variant in variants
            ]
            for endpoint, variants in self._variants.items()
        }
