"""Deployments by a change set of CloudFormation: made, shown, carried out and watched."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from cli.errors import CommandError

CAPABILITIES = ("CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND")
TAGS: Mapping[str, str] = {"project": "darkroom"}
"""As samconfig.toml has them."""

UNUSABLE = ("ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED", "DELETE_FAILED")
"""States of a stack that was never created, or not deleted: CloudFormation allows only its deletion."""

POLL_S, WAIT_S = 3.0, 3600.0
NO_CHANGE = ("didn't contain changes", "No updates are to be performed")
"""What CloudFormation says in StatusReason of a change set without changes."""


class DeploymentFailed(CommandError):
    """A change set or its execution failed. The message has CloudFormation's first reasons."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a resource: ``action`` is Add, Modify or Remove; ``replacement`` is True, False or Conditional."""

    action: str
    logical_id: str
    kind: str
    replacement: str

    def __str__(self) -> str:
        note = {"True": "  (is replaced)", "Conditional": "  (may be replaced)"}.get(self.replacement, "")
        return f"{self.action:<7} {self.logical_id}  {self.kind}{note}"

    @property
    def is_harmless(self) -> bool:
        """Return whether the resource is new, or stays the same one."""
        return self.action == "Add" or (self.action == "Modify" and self.replacement == "False")


@dataclass(frozen=True)
class ChangeSet:
    """A change set of ``stack`` that waits for its execution; ``is_new`` if the stack did not exist before."""

    cloudformation: Any
    stack: str
    arn: str
    is_new: bool
    changes: Sequence[Change]

    def describe(self) -> Iterator[str]:
        """Yield lines: changes are counted by type; what is removed or replaced, and so loses its data, is named."""
        for action in ("Add", "Modify"):
            counted = Counter(one.kind for one in self.changes if one.action == action and one.is_harmless)
            kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(counted.items()))
            if kinds:
                yield f"{action:<7} {counted.total()} resources: {kinds}"
        yield from (str(one) for one in self.changes if not one.is_harmless)

    def discard(self) -> None:
        """Delete the change set, and the stack that exists for it alone."""
        self.cloudformation.delete_change_set(ChangeSetName=self.arn)
        if self.is_new:
            self.cloudformation.delete_stack(StackName=self.stack)

    def execute(self, report: Callable[[str], object]) -> None:
        """Carry the change set out, and wait; ``report`` gets each resource that fails. Raises DeploymentFailed."""
        begun = newest_event(self.cloudformation, self.stack)
        self.cloudformation.execute_change_set(ChangeSetName=self.arn)
        status = wait(self.cloudformation, self.stack, report)
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            reasons = list_failures(self.cloudformation, self.stack, begun)
            raise DeploymentFailed("\n".join([f"the stack {self.stack} is {status}", *reasons]))


def describe_stack(cloudformation: Any, stack: str) -> Mapping[str, Any]:
    """Return the description of a stack, empty if there is none. Raises ClientError."""
    try:
        found: Mapping[str, Any] = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return {}
        raise
    return found


def make_change_set(
    cloudformation: Any, stack: str, template_url: str, parameters: Mapping[str, str | None], version: str
) -> ChangeSet | None:
    """Make a change set of a template; return None if it has no changes. Raises DeploymentFailed.

    A parameter that is None keeps the value that the stack has.
    """
    status = describe_stack(cloudformation, stack).get("StackStatus", "")
    if status in UNUSABLE:
        raise DeploymentFailed(f"the stack {stack} is {status} and can only be deleted: darkroom uninstall does so")
    is_new = status in ("", "REVIEW_IN_PROGRESS")
    arn = cloudformation.create_change_set(
        StackName=stack,
        ChangeSetName=f"release-{version.replace('.', '-')}-{secrets.token_hex(4)}",
        ChangeSetType="CREATE" if is_new else "UPDATE",
        TemplateURL=template_url,
        Parameters=[_to_parameter(name, value) for name, value in parameters.items()],
        Capabilities=list(CAPABILITIES),
        Tags=[{"Key": name, "Value": value} for name, value in TAGS.items()],
    )["Id"]
    try:
        cloudformation.get_waiter("change_set_create_complete").wait(
            ChangeSetName=arn, WaiterConfig={"Delay": 2, "MaxAttempts": 300}
        )
    except WaiterError as error:
        found = cloudformation.describe_change_set(ChangeSetName=arn)
        ChangeSet(cloudformation, stack, arn, is_new, ()).discard()
        reason = found.get("StatusReason", "")
        if any(said in reason for said in NO_CHANGE):
            return None
        raise DeploymentFailed(f"CloudFormation refused the change set: {reason}") from error
    return ChangeSet(cloudformation, stack, arn, is_new, tuple(_list_changes(cloudformation, arn)))


def _to_parameter(name: str, value: str | None) -> dict[str, Any]:
    given = {"UsePreviousValue": True} if value is None else {"ParameterValue": value}
    return {"ParameterKey": name, **given}


def _list_changes(cloudformation: Any, arn: str) -> Iterator[Change]:
    for page in cloudformation.get_paginator("describe_change_set").paginate(ChangeSetName=arn):
        for one in (change["ResourceChange"] for change in page["Changes"]):
            replacement = one.get("Replacement", "False")
            yield Change(one["Action"], one["LogicalResourceId"], one["ResourceType"], replacement)


def wait(cloudformation: Any, stack: str, report: Callable[[str], object]) -> str:
    """Wait until no operation is in progress; return the stack's state."""
    ends, said = time.monotonic() + WAIT_S, ""
    while True:
        status = str(describe_stack(cloudformation, stack).get("StackStatus", "DELETED"))
        if status != said:
            report(status)
            said = status
        if not status.endswith("_IN_PROGRESS"):
            return status
        if time.monotonic() > ends:
            raise DeploymentFailed(f"the stack {stack} is still {status} after an hour; CloudFormation goes on")
        time.sleep(POLL_S)


def newest_event(cloudformation: Any, stack: str) -> str:
    """Return the id of the stack's last event, "" if it has none."""
    events = cloudformation.describe_stack_events(StackName=stack).get("StackEvents", [])
    return str(events[0]["EventId"]) if events else ""


def list_failures(cloudformation: Any, stack: str, begun: str) -> list[str]:
    """Return a line for each resource that failed after the event ``begun``, the first first."""
    lines: list[str] = []
    for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack):
        for one in page["StackEvents"]:
            if one["EventId"] == begun:
                return lines[::-1]
            if one["ResourceStatus"].endswith("_FAILED") and "cancelled" not in one.get("ResourceStatusReason", ""):
                lines.append(f"{one['LogicalResourceId']}: {one.get('ResourceStatusReason', 'no reason given')}")
    return lines[::-1]
