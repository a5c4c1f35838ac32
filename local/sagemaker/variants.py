"""Endpoints and their production variants: which of them takes a call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from .service_errors import RequestError, validation


@dataclass(frozen=True, slots=True)
class Variant:
    """A production variant: its share of the calls is ``weight`` in the sum of weights, its container is at ``url``.

    ``image`` is what SageMaker would tell of what it runs: here the folder of its models, as a URI. All of its
    ``instances`` are the one container.
    """

    name: str
    weight: float
    url: str
    image: str = ""
    instances: int = 1


def choose_variant(endpoint: str, variants: Sequence[Variant], *, at: float, target: str = "") -> Variant:
    """The variant that takes a call: ``target`` if it is named, else the one in whose share ``at`` (0 to 1) lies.

    Raises Refusal where no variant has that name, and where all weights are nought.
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
    wanted = at * sum(variant.weight for variant in sharing)
    return next((variant for variant, end in zip(sharing, upto, strict=True) if wanted < end), sharing[-1])


class Endpoints:
    """The endpoints that are in service, and how often each variant was called. Both may change at any time."""

    def __init__(self) -> None:
        self._variants: dict[str, tuple[Variant, ...]] = {}
        self._invocations: dict[tuple[str, str], int] = {}

    def put(self, endpoint: str, variants: Sequence[Variant]) -> None:
        """Have ``endpoint`` consist of ``variants`` from now on."""
        self._variants[endpoint] = tuple(variants)

    def variants(self, endpoint: str) -> tuple[Variant, ...]:
        """Those of ``endpoint``; raises Refusal if there is no such endpoint."""
        if endpoint not in self._variants:
            raise RequestError(validation(f"Endpoint {endpoint} of account 000000000000 not found."))
        return self._variants[endpoint]

    def count(self, endpoint: str, variant: Variant) -> None:
        """One more call of ``variant``."""
        name = endpoint, variant.name
        self._invocations[name] = self._invocations.get(name, 0) + 1

    def listed(self) -> dict[str, list[dict[str, object]]]:
        """All of them as JSON has them, by the endpoint's name."""
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
