"""Write docs/reference/cli.md from the commands of ``darkroom`` and its table of exit codes."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "layers" / "darkroom"))

import click  # noqa: E402

from cli.commands import app  # noqa: E402
from cli.exit_codes import MEANINGS  # noqa: E402
from cli.framework import SHARED_NAMES, Command, shared_options  # noqa: E402
from tools.generated_blocks import table  # noqa: E402

PAGE = ROOT / "docs" / "reference" / "cli.md"

INTRODUCTION = """# Command line

`./darkroom` runs the command of a checkout from any folder. The first call installs what commands for stacks on AWS
need (boto3, click, PyYAML and Rich; 55 MB in `.local`); commands that render images, train models or run the local
stack install `.venv` (1.3 GB), as `make` does. In an activated environment (`. .venv/bin/activate`) it is `darkroom`.
`make docs` writes this page from the commands.

```console
./darkroom up --detach                          # the stack on this machine
./darkroom upload photo.jpg
./darkroom sign '/photo.jpg?w=801'
./darkroom status --stack darkroom --json       # a stack on AWS
```

Commands are about the stack on this machine, unless `--stack`, `--profile` or `--region`, or the environment variable
`DARKROOM_STACK`, chooses one on AWS. There they use the credentials of the AWS CLI and read addresses and names of
resources from the stack's outputs. An option that several commands have may also precede the command: `./darkroom
--stack darkroom status`.

`--json` prints results as JSON on standard output: one document, or for `logs` one object a line. Notes, progress and
errors go to standard error; bars are drawn on a terminal only. An error is one line that begins with `darkroom:`;
`--debug` shows its traceback.

To complete commands, options and values with the tab key, add one of these lines to the shell's start-up file:

```console
eval "$(./darkroom completion bash)"            # ~/.bashrc
eval "$(./darkroom completion zsh)"             # ~/.zshrc
./darkroom completion fish | source             # ~/.config/fish/config.fish
```
"""


def page() -> str:
    """Return the page as Markdown."""
    shared = [(_names(option), str(option.help)) for option in shared_options()]
    sections = [
        INTRODUCTION.rstrip("\n"),
        "## Exit codes",
        table(("code", "meaning"), *((str(int(code)), text) for code, text in MEANINGS.items())).strip(),
        "## Options of several commands",
        table(("option", "meaning"), *shared).strip(),
        "## Commands",
        *(part for name, command in _commands(app, "darkroom") for part in _section(name, command)),
    ]
    return "\n\n".join(sections) + "\n"


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
        yield f"```console\n./{' '.join([name, *usage])}\n```"
    yield _prose(command.help or "")
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


def _field(name: str) -> str:
    return "the document is" if name == "*" else f"`{name}`:"


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


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
