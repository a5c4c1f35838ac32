"""Limits of AWS accounts that are new, and values that AWS accepts from a list only. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cli.flat_rate.distributions import DISTRIBUTION

from .account import Concurrency, Unknown
from .checks import Finding, Status
from .plan import Plan, read_log_days
from .templates import FUNCTION, Planned

MEMORY_MB = 3008
"""AWS Lambda Developer Guide, "Lambda quotas": new accounts have reduced memory quotas, which no API returns."""

CONCURRENCY = 10
"""Quota of concurrent executions of a new account. docs/getting-started/deploy.md names it, too."""

LOG_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
"""Retention that CloudWatch Logs has, in days. CloudWatch Logs API reference, "PutRetentionPolicy"."""

SUPPORT = "https://console.aws.amazon.com/support/home#/case/create"


def check_memory(
    plan: Plan, others: Mapping[str, tuple[Planned, ...]], concurrency: Concurrency | Unknown
) -> Iterator[Finding]:
    """Check the memory of functions: of the plan, then of further stacks that are not part of it, ``others``."""
    groups = {"": plan.planned, **plan.further}
    subject, is_new = "Lambda memory", isinstance(concurrency, Concurrency) and concurrency.quota <= CONCURRENCY
    large = [found for planned in groups.values() for found in _list_large(planned)]
    action = f"Ask AWS Support for more, or name less: {_remedies(plan, large)}."
    if large and is_new:
        found = f"{_describe(large)}: an account with {CONCURRENCY} concurrent executions has at most {MEMORY_MB} MB"
        yield Finding(Status.PROBLEM, subject, found, action)
    elif large:
        found = f"{_describe(large)}: new accounts have at most {MEMORY_MB} MB, which no API returns"
        yield Finding(Status.UNKNOWN, subject, found, action)
    else:
        yield Finding(Status.OK, subject, f"no function has more than the {MEMORY_MB} MB of new accounts")
    if beyond := [found for planned in others.values() for found in _list_large(planned)]:
        found = f"{_describe(beyond)}: more than the {MEMORY_MB} MB of new accounts, if you deploy it"
        yield Finding(Status.UNKNOWN, subject, found)


def _list_large(planned: tuple[Planned, ...]) -> list[tuple[Planned, int]]:
    functions = [(one, int(one.properties.get("MemorySize", 0))) for one in planned if one.kind == FUNCTION]
    return [(one, memory_mb) for one, memory_mb in functions if memory_mb > MEMORY_MB]


def _describe(large: list[tuple[Planned, int]]) -> str:
    return ", ".join(f"{one.logical_id} of {one.template} has {memory_mb} MB" for one, memory_mb in large)


def _remedies(plan: Plan, large: list[tuple[Planned, int]]) -> str:
    first = any(one in plan.planned for one, _ in large)
    templates = sorted({one.template for one, _ in large if one not in plan.planned})
    return " and ".join([*(["Size=standard"] if first else []), *(f"MemoryMb of {name}" for name in templates)])


def check_cloudfront_access(plan: Plan, distributions: int | Unknown) -> Iterator[Finding]:
    """Report that AWS may have to verify an account before its first distribution: no API returns that."""
    subject = "CloudFront access"
    if isinstance(distributions, int) and distributions > 0:
        yield Finding(Status.OK, subject, "the account has distributions")
    elif plan.resources.get(DISTRIBUTION, 0):
        found = "the account has none that are known, and a new one may have to be verified first: CloudFront then "
        found += 'answers "Your account must be verified before you can add new CloudFront resources"'
        action = f"Ask AWS Support before the deployment, quoting this message; it takes up to some days: {SUPPORT}"
        yield Finding(Status.UNKNOWN, subject, found, action)


def check_log_days(plan: Plan) -> Iterator[Finding]:
    """Check that CloudWatch Logs has the retention of the logs."""
    if "RetentionDays" not in plan.parameters:
        return
    subject, days = "RetentionDays", read_log_days(plan)
    if days.isdecimal() and int(days) in LOG_DAYS:
        yield Finding(Status.OK, subject, f"CloudWatch Logs can keep logs for {days} days")
        return
    longer = [one for one in LOG_DAYS if days.isdecimal() and one > int(days)]
    action = f"Its fourth number is one of {', '.join(map(str, LOG_DAYS))}"
    action += f"; the next is {longer[0]}." if longer else "."
    yield Finding(
        Status.PROBLEM, subject, f"CloudWatch Logs cannot keep logs for {days or 'no number of'} days", action
    )
