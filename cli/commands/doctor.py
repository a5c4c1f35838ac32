"""The command that says what is wrong with a stack."""

from __future__ import annotations

import time
from dataclasses import asdict, replace

from ..app import app
from ..exit_codes import ExitCode
from ..framework import Call
from .runbooks import name_stack


@app.command(
    output={
        "checks": "per check: `name`, `outcome` (`ok`, `problem` or `not checked`), `detail` and `fixes`, commands"
    },
    examples=("darkroom doctor --stack shop --region eu-central-1",),
)
def doctor(call: Call) -> int:
    """Check what may be wrong with a stack, and print the commands that repair it.

    Checked are the state of CloudFormation, the answer of the CDN, settings, switches, dead letters, alarms and the
    last updates of functions. Nothing is changed. A fact that cannot be read is named as not checked. The exit code is
    1 if there is a problem.
    """
    from cli.doctor.checks import Outcome, examine, format_findings
    from cli.doctor.reading import read_facts
    from cli.runbooks import write_for

    stack = name_stack(call)
    found = [
        replace(one, fixes=[write_for(stack, fix) for fix in one.fixes])
        for one in examine(read_facts(call.deployment), time.time())
    ]
    call.emit({"checks": [asdict(one) for one in found]}, format_findings(found))
    return ExitCode.FAILED if any(one.outcome is Outcome.PROBLEM for one in found) else ExitCode.OK
