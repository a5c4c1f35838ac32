"""Exit codes of the command, and what each means."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum


class ExitCode(IntEnum):
    """The exit code of ``darkroom``."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    UNREACHABLE = 4
    CREDENTIALS = 5
    INTERRUPTED = 130


MEANINGS: Mapping[ExitCode, str] = {
    ExitCode.OK: "The command succeeded.",
    ExitCode.FAILED: "The command failed, or a check that it makes found a problem.",
    ExitCode.USAGE: "An argument or option is wrong. Nothing was changed.",
    ExitCode.NOT_FOUND: "The named image, run, version, queue or function does not exist.",
    ExitCode.UNREACHABLE: "There is no such stack, or its services do not answer.",
    ExitCode.CREDENTIALS: "AWS credentials are missing, expired, or do not allow the call.",
    ExitCode.INTERRUPTED: "Ctrl-C interrupted the command, or a question was not answered with yes.",
}
"""The table of docs/reference/cli.md."""
