"""Anytime-valid statistics of click rates: they hold however often they are computed, and whenever it ends.

All bounds invert one test martingale, a mixture of likelihood ratios. For ``successes`` of ``trials`` with probability
p, the ratio of the likelihood under a Beta(a, b) prior to that under p is, at the true p, a nonnegative martingale that
begins at 1. By Ville's inequality it ever reaches 1/alpha with probability alpha at most. The values of p at which it
has not form a confidence sequence (H. Robbins, "Statistical methods related to the law of the iterated logarithm",
Annals of Mathematical Statistics 41, 1970; M. Lindon and A. Malek, "Anytime-valid inference for multinomial count
data", NeurIPS 2022, section 3 and, for ratios of rates that vary in time, section 4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, lgamma, log, log1p

CONCENTRATION = 100.0
"""Of the prior of a comparison, whose standard deviation is then 0.05 for equal shares: one variant has a tenth more
clicks, and the other a tenth fewer. It affects how early a difference is found, not the guarantee."""

_STEPS = 60
"""Halvings of a search for a bound."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Visitors who saw a variant, and those of them who clicked."""

    visitors: int = 0
    clicks: int = 0

    @property
    def rate(self) -> float:
        """Clicks per visitor, 0 without visitors."""
        return self.clicks / self.visitors if self.visitors else 0.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """A range that contains the true value at all times, with the probability of the confidence sequence."""

    low: float
    high: float


def bound_probability(successes: int, trials: int, alpha: float, a: float = 1.0, b: float = 1.0) -> Bounds:
    """Bound the probability of a success. ``alpha`` is the probability that the bounds are ever wrong."""
    failures = trials - successes
    mixture = _log_beta(a + successes, b + failures) - _log_beta(a, b)
    limit = -log(alpha)

    def is_refuted(p: float) -> bool:
        return mixture - _log_likelihood(successes, failures, p) >= limit

    best = successes / trials if trials else 0.5
    return Bounds(_search(is_refuted, 0.0, best), _search(is_refuted, 1.0, best))


def bound_rate(counts: Counts, alpha: float) -> Bounds:
    """Bound the click rate of a variant, if it is the same at all times."""
    return bound_probability(counts.clicks, counts.visitors, alpha)


def bound_ratio(one: Counts, other: Counts, weights: tuple[int, int], alpha: float) -> Bounds:
    """Bound the click rate of ``one`` divided by that of ``other``; ``weights`` are the shares of visitors.

    Of the visitors who click on one of both, each saw ``one`` with the probability w1 r1 / (w1 r1 + w2 r2). So only
    clicks count, and the rates may vary in time as long as their ratio does not. If both variants are equal at all
    times, the bounds exclude 1 at any time with the probability ``alpha`` at most.
    """
    share = weights[0] / sum(weights)
    prior = CONCENTRATION * share, CONCENTRATION * (1 - share)
    found = bound_probability(one.clicks, one.clicks + other.clicks, alpha, *prior)
    return Bounds(_to_ratio(found.low, weights), _to_ratio(found.high, weights))


def log_mismatch(visitors: tuple[int, ...], weights: tuple[int, ...]) -> float:
    """Return the logarithm of the Bayes factor that visitors are not divided by ``weights`` (sample ratio mismatch).

    It is the Dirichlet-multinomial mixture of Lindon and Malek, section 3, with a prior around the weights. It exceeds
    log(1/alpha) at any time with the probability ``alpha`` at most if they are.
    """
    total = sum(weights)
    prior = [CONCENTRATION * weight / total for weight in weights]
    mixture = _log_multivariate_beta([a + n for a, n in zip(prior, visitors, strict=True)])
    likelihood = sum(n * log(weight / total) for n, weight in zip(visitors, weights, strict=True))
    return mixture - _log_multivariate_beta(prior) - likelihood


def _to_ratio(share: float, weights: tuple[int, int]) -> float:
    return inf if share >= 1 else share / (1 - share) * weights[1] / weights[0]


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def _log_multivariate_beta(parts: list[float]) -> float:
    return sum(map(lgamma, parts)) - lgamma(sum(parts))


def _log_likelihood(successes: int, failures: int, p: float) -> float:
    if (successes and p <= 0) or (failures and p >= 1):
        return -inf
    return (successes * log(p) if successes else 0.0) + (failures * log1p(-p) if failures else 0.0)


def _search(is_refuted: Callable[[float], bool], outer: float, inner: float) -> float:
    """Return the bound between ``outer``, if it is refuted, and ``inner``, which is not: on the outer side."""
    if not is_refuted(outer):
        return outer
    for _ in range(_STEPS):
        middle = (outer + inner) / 2
        if is_refuted(middle):
            outer = middle
        else:
            inner = middle
    return outer
