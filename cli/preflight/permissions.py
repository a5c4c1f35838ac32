"""Compare what a deployment needs with what the policies of the credentials' principal allow."""

from __future__ import annotations

from collections.abc import Iterator

from .account import Reader, Unknown
from .checks import Finding, Status
from .plan import Plan
from .policy import PASSED_TO, Statement, list_statements

SUBJECT = "permissions"
NAMED = 12
"""Refused actions that are named; all are those of `./darkroom policy`."""

SAMPLE = "0"
"""What takes the place of a pattern's ``*``: a policy is simulated for one resource."""


def examine_permissions(plan: Plan, identity: str, reader: Reader) -> Iterator[Finding]:
    """Simulate what the deployment will call, by the policies of the principal behind ``identity``, an ARN."""
    principal = reader.read_principal(identity)
    if principal == "":
        yield Finding(Status.OK, SUBJECT, "the root user may deploy")
        return
    if isinstance(principal, Unknown):
        yield _unknown(principal, plan)
        return
    refused: set[str] = set()
    context = {"aws:RequestedRegion": plan.region, PASSED_TO: "lambda.amazonaws.com"}
    for one in list_statements(plan, identity.split(":")[4]):
        answer = reader.read_refused(principal, one.actions, list_samples(one), context)
        if isinstance(answer, Unknown):
            yield _unknown(answer, plan)
            return
        refused.update(answer)
    yield _judge(refused, principal, plan)


def list_samples(statement: Statement) -> list[str]:
    """Return a resource for each pattern of a statement."""
    return [one if one == "*" else one.replace("*", SAMPLE) for one in statement.resources]


def _judge(refused: set[str], principal: str, plan: Plan) -> Finding:
    if not refused:
        return Finding(Status.OK, SUBJECT, f"{principal} may deploy")
    named = sorted(refused)
    found = f"{principal} may not {', '.join(named[:NAMED])}"
    if len(named) > NAMED:
        found += f" and {len(named) - NAMED} more"
    action = "Attach the policies that this command writes, or deploy by a service role (sam deploy --role-arn)."
    return Finding(Status.PROBLEM, SUBJECT, found, action, command(plan))


def _unknown(reason: Unknown, plan: Plan) -> Finding:
    action = "Compare the principal's policies with those that this command writes."
    return Finding(Status.UNKNOWN, SUBJECT, reason.reason, action, command(plan))


def command(plan: Plan) -> str:
    """Return the command that writes the policies for a plan."""
    further = "".join(f" --further {name}" for name in plan.further)
    return f"./darkroom policy --stack {plan.stack} --region {plan.region}{further} --to policies"
