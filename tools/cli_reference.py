"""Generate parts of docs/reference/cli.md from the commands of ``darkroom`` and its table of exit codes."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from cli.commands import app
from cli.exit_codes import MEANINGS
from cli.framework import SHARED_NAMES, Command, shared_options
from tools.generated_blocks import ROOT, Content, table

PAGE = ROOT / "docs" / "reference" / "cli.md"


def _list_exit_codes() -> str:
    return table(("code", "meaning"), *((str(int(code)), text) for code, text in MEANINGS.items()))


def _list_shared_options() -> str:
    return table(("option", "meaning"), *((_names(option), str(option.help)) for option in shared_options()))


def _describe_commands() -> str:
    parts = [part for name, command in _commands(app, "darkroom") for part in _section(name, command)]
    return "\n\n" + "\n\n".join(parts) + "\n\n"


def _commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    """Yield every command with its full name, a group before its commands."""
    for name in sorted(group.commands):
        command = group.commands[name]
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path} {name}")


def _section(name: str, command: click.Command) -> Iterator[str]:
    is_group = isinstance(command, click.Group)
    usage = [part for parameter in command.params for part in _usage(parameter)]
    yield f"### {name.removeprefix('darkroom ')}"
    if not is_group:
        yield _fence(f"./{' '.join([name, *usage])}", language="text")
    yield _prose(command.help or "")
    if isinstance(command, Command) and command.examples:
        yield "Examples:"
        yield _fence(*(f"./{line}" for line in command.examples))
    if command.epilog:
        yield _prose(command.epilog)
    own = [one for one in command.params if isinstance(one, click.Option) and one.name not in SHARED_NAMES]
    if own:
        yield table(("option", "meaning"), *((_names(one), _meaning(one)) for one in own)).strip()
    if isinstance(command, Command) and command.output:
        fields = [
            f"- {'the document is' if field == '*' else f'`{field}`:'} {text}" for field, text in command.output.items()
        ]
        yield "\n".join(["With `--json`:", "", *fields])


def _fence(*lines: str, language: str = "console") -> str:
    return "\n".join([f"```{language}", *lines, "```"])


def _usage(parameter: click.Parameter) -> Iterator[str]:
    if parameter.name in SHARED_NAMES:
        return
    if isinstance(parameter, click.Argument):
        yield parameter.make_metavar(click.Context(app))
    elif parameter.required:
        yield _names(parameter).strip("`")


def _names(option: click.Parameter) -> str:
    names = ", ".join(sorted(option.opts, key=len, reverse=True))
    if not isinstance(option, click.Option) or option.is_flag:
        return f"`{names}`"
    return f"`{names} {option.make_metavar(click.Context(app)).strip('<>')}`"


def _meaning(option: click.Option) -> str:
    text = option.help or ""
    default = option.default
    if option.show_default and default is not None:
        text = f"{text} Default: `{default:g}`." if isinstance(default, float) else f"{text} Default: `{default}`."
    return text.strip().replace("|", "\\|")


def _prose(text: str) -> str:
    """Format a help text: paragraphs on one line each."""
    return "\n\n".join(" ".join(one.split()) for one in re.split(r"\n\s*\n", text.strip()))


CONTENT: Content = {
    "exit-codes": _list_exit_codes,
    "shared-options": _list_shared_options,
    "commands": _describe_commands,
}
"""Content of the page's places."""
