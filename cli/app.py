"""The root of all commands."""

from __future__ import annotations

import tomllib

import click

from . import ROOT
from .framework import Group

PROGRAM = "darkroom"


def version() -> str:
    """The version of the checkout."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def _print_version(ctx: click.Context, _: click.Parameter, is_wanted: bool) -> None:
    if is_wanted and not ctx.resilient_parsing:
        click.echo(f"{PROGRAM} {version()}")
        ctx.exit()


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version, help="Version.")
def app() -> None:
    """Run Darkroom on this machine, and operate its stacks here and on AWS.

    Commands are about the stack on this machine unless --stack, --profile or --region chooses one on AWS.
    """
