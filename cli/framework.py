"""What every command has: options that choose the stack, ``--json``, ``--debug``, and a way to print results."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from . import IS_CHECKOUT, ROOT
from .environments import NOTE, STACK_NOTE, enter_development, enter_local_stack
from .errors import WrongArgument
from .terminal import Style, Table, format_lines, is_styled

if TYPE_CHECKING:
    from cli.deployment import Deployment

STACK = "darkroom"
"""Name of the stack on AWS, where a profile or a region is named and no stack."""

STATE = (ROOT if IS_CHECKOUT else Path.cwd()) / ".local"
TRACEBACK = "traceback"
"""Flag of the context's ``obj`` with which a command has its exceptions shown with their traceback."""

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
"""Types of arguments that name an existing file or folder."""


@dataclass(frozen=True)
class Selection:
    """Which stack a command is about. All is empty for the default: the one on this machine in a checkout."""

    stack: str = ""
    profile: str = ""
    region: str = ""
    is_local: bool = False
    state: Path = STATE

    @property
    def on_aws(self) -> bool:
        """Whether it is a stack on AWS."""
        return not self.is_local and bool(not IS_CHECKOUT or self.stack or self.profile or self.region)


@dataclass(frozen=True)
class Call:
    """One call of a command: the stack that it is about, and the format of its results."""

    selection: Selection
    is_json: bool = False
    is_debug: bool = False

    @cached_property
    def deployment(self) -> Deployment:
        """The selected stack. Raises CommandError, or what boto3 raises, if it cannot be read."""
        from cli.deployment import read_aws, read_local

        chosen = self.selection
        if chosen.on_aws:
            return read_aws(chosen.stack or STACK, chosen.region or None, chosen.profile or None)
        return read_local(chosen.state)

    @property
    def local_state(self) -> Path:
        """The state folder of the stack on this machine. Raises WrongArgument if one on AWS was named."""
        if self.selection.on_aws:
            raise WrongArgument("This command is for the stack on this machine, not for one on AWS.")
        return self.selection.state

    def emit(self, document: Any, lines: Iterable[str | Table] = ()) -> None:
        """Print a result: ``document`` as JSON with ``--json``, else ``lines``."""
        if self.is_json:
            write(json.dumps(document, indent=2, default=str))
            return
        for line in format_lines(lines, lambda text: escape_hidden(text, keep="\t"), styled=is_styled(sys.stdout)):
            write(line)

    def emit_one(self, document: Mapping[str, Any], lines: Iterable[str]) -> None:
        """Print one of many results: ``document`` as a line of JSON with ``--json``, else ``lines``."""
        if self.is_json:
            write(json.dumps(document, default=str))
            return
        self.emit(document, lines)

    def note(self, text: str) -> None:
        """Print a line about what happens, which is no result, to standard error."""
        write_note(text, keep="\n\t")


def escape_hidden(text: str, keep: str = "") -> str:
    """Escape what is hidden in a text, such as a key; imported here because help imports nothing of darkroom."""
    from darkroom.visible_text import escape_controls

    return escape_controls(text, keep)


def write_note(text: str, keep: str = "") -> None:
    """Print ``text`` to standard error."""
    [line] = format_lines([text], lambda part: escape_hidden(part, keep), styled=is_styled(sys.stderr))
    click.echo(line, err=True)


def ask(question: str) -> None:
    """Ask a question on standard error. Raises click.Abort unless it is answered with yes."""
    click.confirm(escape_hidden(question), abort=True, err=True)


def write(text: str) -> None:
    """Print ``text`` to standard output at once."""
    click.echo(text)
    sys.stdout.flush()


_SHARED = (
    click.Option(
        ["--stack", "shared_stack"],
        metavar="NAME",
        envvar="DARKROOM_STACK",
        help="Name of a stack on AWS [env: DARKROOM_STACK].",
    ),
    click.Option(
        ["--profile", "shared_profile"], metavar="NAME", help="Profile of the AWS configuration; chooses AWS."
    ),
    click.Option(["--region", "shared_region"], metavar="NAME", help="Region of the stack on AWS; chooses AWS."),
    click.Option(["--local", "shared_local"], is_flag=True, help="The stack on this machine (the default)."),
    click.Option(
        ["--state-dir", "shared_state"],
        type=click.Path(path_type=Path, file_okay=False),
        default=STATE,
        metavar="DIR",
        help="Data of the stack on this machine (.local).",
    ),
)
_JSON = click.Option(["--json", "shared_json"], is_flag=True, help="Print JSON.")
_DEBUG = click.Option(["--debug", "shared_debug"], is_flag=True, help="Show the traceback of an error.")


def shared_options() -> tuple[click.Option, ...]:
    """The options that several commands have."""
    return (*_SHARED, _JSON, _DEBUG)


SHARED_NAMES = frozenset(str(option.name) for option in shared_options())
"""Their names among the parameters of a command."""

_BY_NAME = {name: option for option in shared_options() for name in option.opts}


class _Formatter(click.HelpFormatter):
    """The formatter of help texts, with bold headings on a terminal."""

    def write_heading(self, heading: str) -> None:
        """Write the heading of a section."""
        styled = is_styled(sys.stdout)
        self.write(f"{'':{self.current_indent}}{Style.HEADING.show(f'{heading}:') if styled else f'{heading}:'}\n")


class _Context(click.Context):
    formatter_class = _Formatter


class Command(click.Command):
    """A command with the shared options, whose function gets a :class:`Call` as its argument ``call``.

    ``output`` describes the fields that it prints with ``--json``; without it the command has no ``--json``.
    ``examples`` are lines of a shell for its help.
    ``on_stack`` is false for commands that are about no stack, ``in_development`` true for those that need the packages
    of development, ``runs_stack`` for those that need the packages of the local stack (``cli/environments.py``).
    """

    context_class = _Context

    def __init__(
        self,
        *args: Any,
        output: Mapping[str, str] | None = None,
        examples: Sequence[str] = (),
        on_stack: bool = True,
        in_development: bool = False,
        runs_stack: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.epilog = NOTE if in_development else STACK_NOTE if runs_stack else self.epilog
        self.output, self.examples = output, examples
        self.in_development, self.runs_stack = in_development, runs_stack
        shared = [*(_SHARED if on_stack else ()), *((_JSON,) if output is not None else ()), _DEBUG]
        self.params = [*self.params, *shared]

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, which are not wrapped, for they are copied; then what follows."""
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples:
                    formatter.write(f"{'':{formatter.current_indent}}{line}\n")
        super().format_epilog(ctx, formatter)

    def invoke(self, ctx: click.Context) -> Any:
        """Replace the shared options among the arguments by a Call, in the environment that the command needs."""
        if self.in_development:
            enter_development()
        if self.runs_stack:
            enter_local_stack()
        shared = {name.removeprefix("shared_"): ctx.params.pop(name) for name in SHARED_NAMES & ctx.params.keys()}
        if shared.get("local"):
            from_environment = ctx.get_parameter_source("shared_stack") is ParameterSource.ENVIRONMENT
            stack = "" if from_environment else shared.get("stack")
            if stack or shared.get("profile"):
                raise click.UsageError("--local excludes --stack and --profile.", ctx)
        selection = Selection(
            shared.get("stack") or "",
            shared.get("profile") or "",
            shared.get("region") or "",
            bool(shared.get("local")),
            Path(shared.get("state") or STATE).resolve(),
        )
        call = Call(selection, bool(shared.get("json")), bool(shared.get("debug")))
        ctx.params["call"] = call
        return super().invoke(ctx)


class Group(click.Group):
    """A group whose commands are :class:`Command`. Shared options may precede the name of a command."""

    command_class = Command
    context_class = _Context

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Move shared options behind the name of the command, which parses them."""
        moved: list[str] = []
        rest = list(args)
        while rest and (option := _BY_NAME.get(rest[0].partition("=")[0])) is not None:
            takes_value = not option.is_flag and "=" not in rest[0]
            moved += rest[: 2 if takes_value else 1]
            rest = rest[2 if takes_value else 1 :]
        return super().parse_args(ctx, [rest[0], *moved, *rest[1:]] if rest else args)


Group.group_class = Group
