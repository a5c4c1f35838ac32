"""Commands around a deployment: checks before and after it, and old versions of functions."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ..app import app
from ..errors import CommandError, NotFound, WrongArgument
from ..exit_codes import ExitCode
from ..framework import Call
from ..terminal import Line, Style, Table
from .stack import find_function

KEEP = 2
SECRETS = ("signing", "dialects")
FLAT_RATE_TIERS = ("free", "pro", "business", "premium")


def planned(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that describe a deployment before it is made, as for `sam deploy`."""
    for add in (
        click.argument("more", nargs=-1, metavar="[NAME=VALUE]..."),
        click.option("--further", multiple=True, metavar="NAME", help="An extension or a further stack; repeatable."),
        click.option(
            "--parameter-overrides", "overrides", multiple=True, metavar="NAME=VALUE", help="As for `sam deploy`."
        ),
        click.option(
            "--config-env", default="default", show_default=True, metavar="NAME", help="Environment of samconfig.toml."
        ),
    ):
        command = add(command)
    return command


@app.command(
    output={
        "findings": "per check: `status` (`ok`, `problem` or `unknown`), `subject`, `found`, `action` and `command`"
    },
    examples=(
        "darkroom preflight --region eu-central-1 --further sources",
        "darkroom preflight --stack shop --plan business PriceClass=business",
    ),
)
@click.option("--plan", "tier", type=click.Choice(FLAT_RATE_TIERS), help="A flat-rate plan of CloudFront to check.")
@planned
def preflight(
    call: Call, config_env: str, overrides: tuple[str, ...], further: tuple[str, ...], tier: str, more: tuple[str, ...]
) -> int:
    """Check, before a deployment to AWS, what in the account or the region would make it fail.

    Nothing is changed. Values that are not named are those of the stack, or the template's defaults. With --further
    NAME, values of that stack are named as in NAME.MaxConcurrency=2. --plan business names what is in the way of that
    plan. --local checks the services of the stack on this machine instead. The exit code is 1 if there is a problem.
    """
    import boto3

    from cli.preflight.checks import Status
    from cli.preflight.examination import Question, WrongQuestion, format_findings
    from cli.preflight.examination import preflight as examine

    chosen = call.selection
    session, endpoint = boto3.Session(profile_name=chosen.profile or None), None
    if chosen.is_local:
        session, endpoint = call.deployment.session, call.deployment.endpoints[""]
    question = Question(config_env, chosen.stack, chosen.region, [*overrides, *more], further, tier or "")
    try:
        found = examine(session, question, endpoint)
    except WrongQuestion as error:
        raise WrongArgument(str(error)) from error
    counted = {status: sum(one.status is status for one in found) for status in Status}
    lines = [*format_findings(found), ", ".join(f"{count} {status.value}" for status, count in counted.items())]
    call.emit({"findings": [asdict(one) for one in found]}, lines)
    return ExitCode.FAILED if counted[Status.PROBLEM] else ExitCode.OK


@app.command(
    output={"policies": "the documents of managed policies", "files": "their paths, with --to"},
    examples=("darkroom policy --stack shop --region eu-central-1 --further sources --to policies",),
)
@planned
@click.option("--account", default="*", metavar="NUMBER", help="Limit the policies to an account (all).")
@click.option("--to", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER", help="Write files there.")
def policy(
    call: Call,
    config_env: str,
    overrides: tuple[str, ...],
    further: tuple[str, ...],
    more: tuple[str, ...],
    account: str,
    to: Path | None,
) -> None:
    """Print the IAM policies that let a principal deploy, update and delete the stack, and nothing else.

    They are made from the templates, for the options and further stacks that are named. Nothing is called.
    """
    from cli.preflight.examination import Question, WrongQuestion, plan_new
    from cli.preflight.policy import build_policies, list_statements

    chosen = call.selection
    try:
        plan = plan_new(Question(config_env, chosen.stack, chosen.region, [*overrides, *more], further), "")
    except WrongQuestion as error:
        raise WrongArgument(str(error)) from error
    policies = build_policies(list_statements(plan, account))
    if to is None:
        call.emit({"policies": policies, "files": []}, [json.dumps(policies, indent=2)])
        return
    to.mkdir(parents=True, exist_ok=True)
    files = [to / f"{plan.stack}-deploy-{number}.json" for number in range(1, len(policies) + 1)]
    for file, document in zip(files, policies, strict=True):
        file.write_text(json.dumps(document, separators=(",", ":")) + "\n", encoding="utf-8")
    call.emit({"policies": policies, "files": [str(one) for one in files]}, map(str, files))


@app.command(
    output={
        "checks": "per check: `name`, `group`, `proves`, `look_at`, `outcome`, `detail` and `took_s`",
        "not_removed": "what the run has created and could not remove",
        "stack": "name",
        "region": "region",
        "folder": "prefix of the keys of the run",
        "started_at": "ISO 8601",
        "interrupted": "whether Ctrl-C ended the run",
        "steps": "with --plan, per step: `title`, `minutes`, `doubt`, `commands`, `expected`, `checks` and `otherwise`",
    },
    examples=(
        "darkroom smoke --stack shop --region eu-central-1 --output smoke.json",
        "darkroom smoke --only removal --only uploads",
    ),
)
@click.option("--only", multiple=True, metavar="NAME", help="A check or a group of checks; repeatable.")
@click.option("--large", is_flag=True, help="Upload a file of over 1 GiB, too.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write the JSON there.")
@click.option("--list", "is_list", is_flag=True, help="Print the checks and what they prove.")
@click.option("--plan", "is_plan", is_flag=True, help="Print the order for a first account, most doubtful first.")
def smoke(call: Call, only: tuple[str, ...], large: bool, output: Path | None, is_list: bool, is_plan: bool) -> int:
    """Check a deployed stack with images of its own, which are removed at the end.

    The further stacks that are deployed beside it are checked, too. The exit code is 1 if a check failed, or if
    something was not removed.
    """
    from cli.smoke.checks import GROUPS
    from cli.smoke.plan import build_plan, format_plan
    from cli.smoke.running import selected
    from cli.smoke.session import check_stack
    from cli.smoke.world import world_of

    if is_plan:
        chosen = call.selection
        steps = build_plan(GROUPS, chosen.stack or "darkroom", chosen.region or "eu-central-1")
        call.emit({"steps": steps}, format_plan(steps))
        return ExitCode.OK
    try:
        checks = selected(GROUPS, only)
    except ValueError as error:
        raise WrongArgument(str(error)) from error
    if is_list:
        lines = [f"{group}/{check.name}: {check.proves}" for group, check in checks]
        table = Table(("group", "check", "proves"), [(group, one.name, one.proves) for group, one in checks], lines)
        rows = [{"group": group, "name": check.name, "proves": check.proves} for group, check in checks]
        call.emit({"checks": rows}, [table])
        return ExitCode.OK
    report = check_stack(world_of(call.deployment), checks, ["large"] if large else [])
    if output:
        output.write_text(json.dumps(report.document(), indent=2) + "\n", encoding="utf-8")
    call.emit(report.document(), report.lines())
    return report.status


@app.group()
def versions() -> None:
    """Versions of functions: with SnapStart each has a snapshot that is paid for until it is deleted."""


@versions.command(
    output={"function": "deployed name", "versions": "numbers that are, or would be, deleted"},
    examples=("darkroom versions prune transform --keep 2 --dry-run",),
)
@click.argument("function")
@click.option("--keep", type=click.IntRange(min=1), default=KEEP, show_default=True, help="Newest versions that stay.")
@click.option("--dry-run", is_flag=True, help="Only list them.")
def prune(call: Call, function: str, keep: int, dry_run: bool) -> None:
    """Delete old versions of FUNCTION, but none that an alias sends calls to."""
    from cli.versions import delete_versions

    name, deleted = find_function(call.deployment, function), list[str]()
    delete_versions(call.deployment.client("lambda"), name, keep, dry_run=dry_run, report=deleted.append)
    lines = [f"{name}:{one} {'would be ' if dry_run else ''}deleted" for one in deleted]
    call.emit({"function": name, "versions": deleted}, [*lines, f"{len(deleted)} old versions"])


@app.group()
def check() -> None:
    """Check a value before a stack gets it."""


@check.command(
    "secret",
    output={"problems": "the mistakes, empty if the value is valid"},
    on_stack=False,
    examples=("darkroom check secret signing < keys.json",),
)
@click.argument("secret", type=click.Choice(SECRETS))
def check_secret(call: Call, secret: str) -> int:
    """Check the value of the secret SigningKeysArn (signing) or LanguageKeysArn (dialects): JSON on standard input.

    The exit code is 1 if functions would reject it. Values never appear in its output.
    """
    from darkroom.signing import InvalidSecret, parse_secret, parse_signing_keys
    from darkroom_dialects.serving.signing_keys import parse_keys

    read: Callable[[Mapping[str, object]], object] = parse_signing_keys if secret == SECRETS[0] else parse_keys
    problems: list[str] = []
    try:
        read(parse_secret(sys.stdin.read()))
    except InvalidSecret as error:
        problems = list(error.problems)
    if call.is_json or not problems:
        call.emit({"problems": problems}, [Line(("valid", Style.GOOD))])
    else:
        for problem in problems:
            call.note(Line((problem, Style.PROBLEM)))
    return ExitCode.FAILED if problems else ExitCode.OK


@check.command(
    "endpoint-image",
    output={"image": "the image by its digest"},
    examples=("darkroom check endpoint-image 123456789012.dkr.ecr.eu-central-1.amazonaws.com/endpoint:4",),
)
@click.argument("uri")
def check_endpoint_image(call: Call, uri: str) -> None:
    """Check that SageMaker accepts the image URI in ECR, with a tag or a digest, and print it by its digest.

    The exit code is 1 if it does not.
    """
    from cli import endpoint_image

    try:
        image = endpoint_image.parse(uri)
    except ValueError as error:
        raise WrongArgument(str(error)) from error
    try:
        accepted, text = endpoint_image.check(_ecr(call, image.region), image)
    except LookupError as error:
        raise NotFound(str(error)) from error
    if not accepted:
        raise CommandError(text)
    call.emit({"image": text}, [text])


def _ecr(call: Call, region: str) -> Any:
    """A client of the image's own region, which need not be that of a stack."""
    import boto3

    if call.selection.is_local:
        return call.deployment.client("ecr")
    return boto3.Session(profile_name=call.selection.profile or None).client("ecr", region_name=region)
