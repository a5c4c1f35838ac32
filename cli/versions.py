"""Delete old versions of a function: with SnapStart, each has a snapshot that is charged until its deletion.

SAM keeps every version, and the runbook for a bad deployment returns to the previous one: keep at least that one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

KEEP = 2
"""The live version and the previous one."""

UNPUBLISHED = "$LATEST"


def choose_versions(versions: Sequence[str], referenced: frozenset[str], keep: int) -> list[str]:
    """Choose versions to delete, oldest first: numbered, not referenced, and not among the ``keep`` newest."""
    numbered = sorted((int(version) for version in versions if version != UNPUBLISHED), reverse=True)
    return [str(number) for number in reversed(numbered[keep:]) if str(number) not in referenced]


def delete_versions(
    client: LambdaClient,
    function: str,
    keep: int,
    *,
    dry_run: bool = False,
    report: Callable[[str], object] = lambda _: None,
) -> int:
    """Delete old versions of ``function``. Return their number. Raises ClientError, and leaves the rest.

    ``report`` is called after each deletion.
    """
    versions = [str(one["Version"]) for one in _items(client, "list_versions_by_function", "Versions", function)]
    aliases = _items(client, "list_aliases", "Aliases", function)
    referenced = frozenset(version for alias in aliases for version in _versions_of(alias))
    chosen = choose_versions(versions, referenced, keep)
    for version in chosen:
        if not dry_run:
            client.delete_function(FunctionName=function, Qualifier=version)
        report(version)
    return len(chosen)


def _items(client: LambdaClient, operation: Any, top: str, function: str) -> Iterator[Mapping[str, Any]]:
    for page in client.get_paginator(operation).paginate(FunctionName=function):
        yield from page[top]


def _versions_of(alias: Mapping[str, Any]) -> Iterator[str]:
    """Yield the versions that an alias routes to: one, or two during a gradual release."""
    yield str(alias["FunctionVersion"])
    yield from alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
