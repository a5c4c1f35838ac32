"""The root of all commands."""

from __future__ import annotations

import tomllib

import click

from . import ROOT
from .exit_codes import MEANINGS
from .framework import Group

PROGRAM = "darkroom"


def version() -> str:
    """The version of the checkout."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def _print_version(ctx: click.Context, _: click.Parameter, is_wanted: bool) -> None:
    if is_wanted and not ctx.resilient_parsing:
        click.echo(f"{PROGRAM} {version()}")
        ctx.exit()


TOPICS: dict[str, tuple[str, ...]] = {
    "Images": (
        "upload",
        "explain",
        "sign",
        "token",
        "keys",
        "purge",
        "forget",
        "findings",
        "review",
        "library",
        "rewrite",
    ),
    "Stacks": (
        *("up", "open", "stop", "status", "preflight", "policy", "install", "upgrade", "uninstall"),
        *("smoke", "settings", "check", "extensions", "parameters"),
    ),
    "Operation": (
        *("doctor", "logs", "runbook", "redrive", "switch", "objectives", "cost"),
        *("experiments", "versions", "compare-builds"),
    ),
    "Models": ("golden", "registry", "manifests", "train", "replay", "cutout-model", "upscale-model"),
    "Development": ("invoke", "events", "release", "completion"),
}
"""Commands in the order of the help, by topic. Those of extensions follow."""


class Root(Group):
    """The group of all commands, whose help shows them by topic."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each topic, and one for extensions."""
        known = {name for names in TOPICS.values() for name in names}
        others = tuple(name for name in self.list_commands(ctx) if name not in known)
        for topic, names in (TOPICS | {"Extensions": others}).items():
            found = [(name, self.commands[name]) for name in names if name in self.commands]
            limit = formatter.width - 6 - max((len(name) for name, _ in found), default=0)
            if rows := [(name, one.get_short_help_str(limit)) for name, one in found if not one.hidden]:
                with formatter.section(topic):
                    formatter.write_dl(rows)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002, as click's
        """Write what exit codes mean."""
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(int(code)), meaning) for code, meaning in MEANINGS.items()])


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version, help="Version.")
def app() -> None:
    """Run Darkroom on this machine, and operate its stacks here and on AWS.

    Commands are about the stack on this machine unless --stack, --profile or --region chooses one on AWS.
    """
