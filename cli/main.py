"""Running a command: every error becomes one line on standard error, and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from .commands import app
from .errors import describe
from .exit_codes import ExitCode
from .framework import TRACEBACK, write_note
from .terminal import Line, Style

PROGRAM = "darkroom"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code. ``arguments`` are those of the process by default."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    flags: dict[str, bool] = {}
    try:
        result = app.main(words, prog_name=PROGRAM, standalone_mode=False, obj=flags)
    except click.UsageError as error:
        return _fail(_usage(error), ExitCode.USAGE)
    except click.ClickException as error:
        return _fail(error.format_message(), ExitCode.FAILED)
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted", ExitCode.INTERRUPTED)
    except Exception as error:
        if "--debug" in words or flags.get(TRACEBACK):
            raise
        found = describe(error)
        return _fail(str(found), found.code)
    return int(result or ExitCode.OK)


def _usage(error: click.UsageError) -> str:
    path = error.ctx.command_path if error.ctx else PROGRAM
    return f"{error.format_message()} See `{path} --help`."


def _fail(message: str, code: ExitCode) -> int:
    write_note(Line((f"{PROGRAM}:", Style.PROBLEM), f" {message}"))
    return int(code)
