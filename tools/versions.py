"""Delete old versions of a function: with SnapStart each one has a snapshot that is paid for until it is deleted.

``python -m tools.versions --function "$(output TransformFunctionName)"`` deletes all but the newest two and those that
an alias sends calls to; ``--keep 1``, ``--dry-run``. SAM keeps every version, and the runbook for a bad deployment goes
back to the one before: leave at least that one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

KEEP = 2
"""The live version and the one before."""

UNPUBLISHED = "$LATEST"


def choose_versions(versions: Sequence[str], referenced: frozenset[str], keep: int) -> list[str]:
    """Versions to delete, oldest first: numbered, not referenced, and not among the ``keep`` newest."""
    numbered = sorted((int(version) for version in versions if version != UNPUBLISHED), reverse=True)
    return [str(number) for number in reversed(numbered[keep:]) if str(number) not in referenced]


def delete_versions(
    client: LambdaClient, function: str, keep: int, *, dry_run: bool = False, report: Callable[[str], object] = print
) -> int:
    """Delete old versions of ``function``; how many. Raises ClientError, and leaves what was not deleted by then."""
    versions = [str(one["Version"]) for one in _items(client, "list_versions_by_function", "Versions", function)]
    aliases = _items(client, "list_aliases", "Aliases", function)
    referenced = frozenset(version for alias in aliases for version in _versions_of(alias))
    chosen = choose_versions(versions, referenced, keep)
    for version in chosen:
        if not dry_run:
            client.delete_function(FunctionName=function, Qualifier=version)
        report(f"{function}:{version} {'would be ' if dry_run else ''}deleted")
    return len(chosen)


def _items(client: LambdaClient, operation: Any, top: str, function: str) -> Iterator[Mapping[str, Any]]:
    for page in client.get_paginator(operation).paginate(FunctionName=function):
        yield from page[top]


def _versions_of(alias: Mapping[str, Any]) -> Iterator[str]:
    """The versions that an alias sends calls to: one, or two while a release is gradual."""
    yield str(alias["FunctionVersion"])
    yield from alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.versions", description=__doc__.partition("\n")[0])
    parser.add_argument("--function", required=True, help="name of the function (the stack's output)")
    parser.add_argument("--keep", type=int, default=KEEP, help=f"newest versions that stay ({KEEP})")
    parser.add_argument("--dry-run", action="store_true", help="only list them")
    parser.add_argument("--endpoint-url", help="AWS's address, if it is not AWS")
    chosen = parser.parse_args(arguments)
    if chosen.keep < 1:
        parser.error("--keep is at least 1")
    try:
        client = boto3.client("lambda", endpoint_url=chosen.endpoint_url)
        count = delete_versions(client, chosen.function, chosen.keep, dry_run=chosen.dry_run, report=_print_line)
    except (BotoCoreError, ClientError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    _print_line(f"{count} old versions")
    return 0


def _print_line(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
