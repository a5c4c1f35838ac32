"""Evaluation of identity policies of one account (IAM user guide, "Policy evaluation logic"), on symbolic resources.

Resources are written as :class:`Stack` writes them: ``<MediaBucket.Arn>/masters/*``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

type Statement = Mapping[str, Any]
type Context = Mapping[str, Sequence[str]]


def listed(value: Any) -> list[Any]:
    """``value``, or a list of it alone."""
    return value if isinstance(value, list) else [value]


def matches(pattern: str, value: str, *, ignore_case: bool = False) -> bool:
    """Whether ``value`` is of ``pattern``, in which ``*`` is any text and ``?`` any character."""
    parts = "".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern)
    return re.fullmatch(parts, value, re.IGNORECASE | re.DOTALL if ignore_case else re.DOTALL) is not None


_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda pattern, value: pattern == value,
    "StringLike": matches,
    "ArnEquals": matches,
    "ArnLike": matches,
    "Bool": lambda pattern, value: pattern.lower() == value.lower(),
}


def holds(operator: str, wanted: Sequence[str], values: Sequence[str] | None) -> bool:
    """Whether one condition holds for a key's ``values``, None if the request has none of it.

    Raises KeyError for an operator that no policy of the template uses.
    """
    for_all, _, name = operator.rpartition(":")
    test = _TESTS[name]
    met = [any(test(one, value) for one in wanted) for value in values or ()]
    if for_all == "ForAllValues":
        return all(met)  # a request without the key passes
    return any(met)


def applies(statement: Statement, action: str, resource: str, context: Context) -> bool:
    """Whether ``statement`` is about this request."""
    if "Action" in statement:
        if not any(matches(one, action, ignore_case=True) for one in listed(statement["Action"])):
            return False
    elif any(matches(one, action, ignore_case=True) for one in listed(statement["NotAction"])):
        return False
    if "Resource" in statement:
        if not any(matches(same_name(one), resource) for one in listed(statement["Resource"])):
            return False
    elif any(matches(same_name(one), resource) for one in listed(statement["NotResource"])):
        return False
    return all(
        holds(operator, listed(wanted), context.get(key))
        for operator, keys in statement.get("Condition", {}).items()
        for key, wanted in keys.items()
    )


def allows(statements: Iterable[Statement], action: str, resource: str, context: Context | None = None) -> bool:
    """Whether a role with these statements may do ``action`` on ``resource``."""
    effects = {one["Effect"] for one in statements if applies(one, action, resource, context or {})}
    return "Allow" in effects and "Deny" not in effects


def same_name(resource: str) -> str:
    """``resource`` in the one form of its name: a bucket's ARN made of its name is the bucket's ``Arn``."""
    return re.sub(r"^arn:aws:s3:::<(\w+)>", r"<\1.Arn>", resource)
