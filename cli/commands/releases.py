"""Commands that install, upgrade and remove a release, without a checkout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from ..app import app, version
from ..errors import CommandError, WrongArgument
from ..exit_codes import ExitCode
from ..framework import STACK, Call, ask
from .extensions import FLAGS

if TYPE_CHECKING:
    import boto3

    from cli.releases.installing import Installation
    from cli.releases.release import Release


def _deploying(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the arguments and options of a deployment."""
    for add in (
        click.argument("given", nargs=-1, metavar="[NAME=VALUE]..."),
        click.argument("release"),
        click.option(
            "--bucket", default="", metavar="NAME", help="For archives (darkroom-releases-ACCOUNT-REGION, created)."
        ),
        click.option("--skip-preflight", is_flag=True, help="Do not check the account before."),
        click.option("--yes", is_flag=True, help="Carry change sets out without a question."),
    ):
        command = add(command)
    return command


@dataclass(frozen=True)
class _Deployer:
    """Deploys stacks of one release for one command."""

    call: Call
    release: Release
    session: boto3.Session
    endpoint: str | None
    bucket: str
    is_checked: bool
    is_confirmed: bool

    @property
    def stack(self) -> str:
        """Return the name of the first stack."""
        return self.call.selection.stack or STACK

    def client(self, service: str) -> Any:
        """Create a client of a service."""
        from cli.deployment import make_client

        return make_client(self.session, service, self.endpoint)

    def deploy(self, given: tuple[str, ...], extension: str = "") -> tuple[bool, Mapping[str, str]]:
        """Deploy the first stack, or an extension's; return whether anything changed, and the stack's outputs."""
        from cli.preflight.plan import parse_overrides
        from cli.releases.installing import Installation

        try:
            parameters = parse_overrides(given)
        except ValueError as error:
            raise WrongArgument(f"{error}.") from error
        if not self.is_checked:
            _check(self, given, extension)
        stack = self.stack
        if extension:
            parameters = {**_describe_first(self.call, extension), **parameters}
            stack = f"{stack}-{extension}"
        installation = Installation(
            self.release, self.session, stack, parameters, extension, self.bucket, self.endpoint
        )
        changed = _carry_out(self.call, installation, is_confirmed=self.is_confirmed)
        return changed, installation.read_outputs()


@app.command(
    output={"stack": "its name", "changed": "whether anything changed", "outputs": "of the stack"},
    examples=(
        "darkroom install https://example.com/darkroom --stack shop --region eu-central-1",
        *(f"darkroom install https://example.com/darkroom --stack shop --extension {flag}" for flag in FLAGS[:1]),
    ),
)
@_deploying
@click.option("--extension", default="", metavar="NAME", help="Install an extension beside the stack.")
def install(
    call: Call, release: str, given: tuple[str, ...], bucket: str, extension: str, skip_preflight: bool, yes: bool
) -> None:
    """Install RELEASE, a folder or an https address.

    Checks the account, copies what the stack needs of the release to a bucket of yours, and shows the change set of
    CloudFormation before it is carried out. NAME=VALUE are parameters; those that are not named keep their values.
    """
    from cli.releases.installing import describe_addresses

    deployer = _open(call, release, bucket, is_checked=skip_preflight, is_confirmed=yes)
    changed, outputs = deployer.deploy(given, extension)
    stack, region = deployer.stack, str(deployer.session.region_name)
    if extension:
        stack, lines = f"{stack}-{extension}", [f"{name}: {value}" for name, value in sorted(outputs.items())]
    else:
        lines = list(describe_addresses(outputs, stack, region))
    call.emit({"stack": stack, "changed": changed, "outputs": outputs}, lines)


@app.command(
    output={
        "stack": "its name",
        "from": 'version of the release that it had, "" if it was not installed from one',
        "to": "version of the release",
        "extensions": "names of those that were upgraded, too",
        "smoke": "outcome of each check, by its name",
        "versions": "numbers of old versions of the transform function that were deleted",
    },
    examples=("darkroom upgrade https://example.com/darkroom --stack shop --region eu-central-1",),
)
@_deploying
@click.option("--skip-smoke", is_flag=True, help="Do not check the stack with images afterwards.")
def upgrade(
    call: Call, release: str, given: tuple[str, ...], bucket: str, skip_preflight: bool, yes: bool, skip_smoke: bool
) -> int:
    """Upgrade a stack and its extensions to RELEASE, a folder or an https address.

    Shows the steps that the changelog asks for, deploys the stack, then each extension beside it, checks them with
    images of its own, and deletes old versions of the transform function. It stops at the first problem; the same
    command continues. To go back, install the former release. The exit code is 1 if a check of the images failed.
    """
    from cli.releases.installing import read_parameters
    from cli.releases.upgrading import list_extensions, read_version

    deployer = _open(call, release, bucket, is_checked=skip_preflight, is_confirmed=yes)
    former = read_parameters(deployer.client("cloudformation"), deployer.stack)
    if not former:
        raise CommandError(f"There is no stack {deployer.stack} to upgrade: darkroom install creates one.")
    installed = read_version(former)
    _show_steps(call, deployer.release, installed)
    deployer.deploy(given)
    names = deployer.release.templates[former.get("Arch", next(iter(deployer.release.templates)))]
    extensions = list_extensions(deployer.client("cloudformation"), deployer.stack, sorted(names))
    for name in extensions:
        call.note(f"extension {name}")
        deployer.deploy((), name)
    checks, is_well = ({}, True) if skip_smoke else _smoke(call)
    deleted = _prune(call) if is_well else []
    document = {
        "stack": deployer.stack,
        "from": installed,
        "to": deployer.release.version,
        "extensions": extensions,
        "smoke": checks,
        "versions": deleted,
    }
    call.emit(document, [f"{deployer.stack}: {installed or 'unknown'} -> {deployer.release.version}"])
    return ExitCode.OK if is_well else ExitCode.FAILED


@app.command(
    output={"stack": "its name", "remaining": "resources with data that remain: their `kind` and `name`"},
    examples=(
        "darkroom uninstall --stack trial --region eu-central-1",
        *(f"darkroom uninstall --stack trial --extension {flag}" for flag in FLAGS[:1]),
    ),
)
@click.option("--extension", default="", metavar="NAME", help="Remove only the stack of an extension.")
@click.option(
    "--delete-data", is_flag=True, help="Delete images, index, keys and audit log, too: there is no way back."
)
@click.option("--yes", is_flag=True, help="Remove without a question.")
def uninstall(call: Call, extension: str, delete_data: bool, yes: bool) -> int:
    """Delete a stack. Its data remains, and costs, unless --delete-data deletes it.

    The exit code is 1 if --delete-data could not delete all of it.
    """
    from cli.deployment import make_client
    from cli.releases import removing
    from cli.releases.upgrading import list_extensions
    from extensions import list_extensions as known

    session, endpoint = _connect(call)
    first = call.selection.stack or STACK
    stack = f"{first}-{extension}" if extension else first

    def client(service: str) -> Any:
        return make_client(session, service, endpoint)

    names = [] if extension else [one.flag for one in known()]
    if beside := list_extensions(client("cloudformation"), first, names):
        raise CommandError(f"Remove the extensions first: {', '.join(f'--extension {name}' for name in beside)}.")
    kept = list(removing.list_kept(client, stack))
    if not yes:
        also = f" and the data of {len(kept)} resources" if delete_data else ""
        ask(f"Delete the stack {stack}{also} in {session.region_name}?")
    removing.delete_stack(client, stack, call.note)
    remaining = removing.list_remaining(client, kept)
    if delete_data:
        remaining = removing.delete_data(client, remaining, call.note)
    rows = [{"kind": one.kind, "name": one.name} for one in remaining]
    call.emit({"stack": stack, "remaining": rows}, [f"remains {one}" for one in remaining])
    return ExitCode.FAILED if delete_data and remaining else ExitCode.OK


@app.group()
def release() -> None:
    """Releases that others install."""


@release.command(
    output={"links": "per region the address that creates a stack in the console of CloudFormation"},
    examples=("darkroom release publish dist/release --bucket example-darkroom --regions eu-central-1,us-east-1",),
)
@click.argument("place", metavar="RELEASE")
@click.option("--bucket", required=True, metavar="NAME", help="Start of the buckets' names; -REGION follows.")
@click.option("--regions", required=True, metavar="A,B", help="Regions in which stacks can be created.")
@click.option("--public", is_flag=True, help="Everyone may read the files, and not only this account.")
@click.option("--arch", type=click.Choice(["arm64", "x86_64"]), default="arm64", show_default=True)
def publish(call: Call, place: str, bucket: str, regions: str, public: bool, arch: str) -> None:
    """Copy RELEASE to a bucket in each region, and print links that create a stack in CloudFormation's console."""
    from cli.deployment import make_client
    from cli.releases import publishing
    from cli.releases.release import open_release

    session, endpoint = _connect(call)
    opened, links = open_release(place), {}
    account = str(make_client(session, "sts", endpoint).get_caller_identity()["Account"])
    for region in dict.fromkeys(regions.split(",")):
        s3 = session.client("s3", region_name=region, endpoint_url=endpoint)
        name = publishing.name_regional_bucket(bucket, region)
        publishing.publish_release(
            s3, opened, name, region, account, lambda path, size: call.note(f"{size / 1e6:7.2f} MB  {path}")
        )
        if public:
            publishing.open_to_public(s3, name)
        links[region] = publishing.link_to_console(opened, arch, name, region)
    call.emit({"links": links}, links.values())


def _open(call: Call, place: str, bucket: str, *, is_checked: bool, is_confirmed: bool) -> _Deployer:
    """Open a release for a command. Raises CommandError if it is of another version than the command."""
    from cli.releases.release import open_release

    session, endpoint = _connect(call)
    release = open_release(place)
    if release.version != version():
        raise CommandError(
            f"{release.place} is version {release.version}, and this command is {version()}: "
            f"install that of the release, darkroom-{release.version}-py3-none-any.whl."
        )
    is_checked |= not call.selection.on_aws  # its account has no quotas to check
    return _Deployer(call, release, session, endpoint, bucket, is_checked, is_confirmed)


def _connect(call: Call) -> tuple[boto3.Session, str | None]:
    """Return the session of the chosen account and region, and the endpoint of the stack on this machine."""
    import boto3

    chosen = call.selection
    if not chosen.on_aws:
        return call.deployment.session, call.deployment.endpoints[""]
    session = boto3.Session(profile_name=chosen.profile or None, region_name=chosen.region or None)
    if not session.region_name:
        raise WrongArgument("No region is set: name it with --region.")
    return session, None


def _check(deployer: _Deployer, given: tuple[str, ...], extension: str) -> None:
    """Run the checks of `darkroom preflight`. Raises CommandError for a problem."""
    from cli.preflight.checks import Status
    from cli.preflight.examination import Question, WrongQuestion, format_findings, preflight

    call = deployer.call
    overrides = [f"{extension}.{one}" for one in given] if extension else given
    question = Question("default", call.selection.stack, "", overrides, (extension,) if extension else ())
    try:
        found = preflight(deployer.session, question, deployer.endpoint)
    except WrongQuestion as error:
        raise WrongArgument(f"{error}") from error
    bad = [one for one in found if one.status is not Status.OK]
    for line in format_findings(bad):
        call.note(line)
    if any(one.status is Status.PROBLEM for one in bad):
        raise CommandError("The account is not ready: the lines above say what to do. --skip-preflight goes on.")
    call.note(f"{len(found) - len(bad)} checks of the account passed")


def _describe_first(call: Call, extension: str) -> dict[str, str]:
    """Return the parameters of an extension's stack that describe the first one."""
    from cli.stack_parameters import FirstStack, build_parameters
    from extensions import find_template

    first = call.deployment
    described = FirstStack(first.name, first.outputs, first.parameters, first.cdn_url)
    return {name: value for name, value in build_parameters(find_template(extension), described).items() if value}


def _carry_out(call: Call, installation: Installation, *, is_confirmed: bool) -> bool:
    """Make the change set, show it, and carry it out; return False if there are no changes."""
    changes = installation.prepare(call.note)
    if changes is None:
        call.note(f"The stack {installation.stack} is as the release has it.")
        return False
    for line in changes.describe():
        call.note(line)
    if not is_confirmed:
        try:
            ask(f"Carry this out in {installation.session.region_name}?")
        except BaseException:
            changes.discard()
            raise
    changes.execute(call.note)
    return True


def _show_steps(call: Call, release: Release, installed: str) -> None:
    from cli.releases.upgrading import CHANGELOG, list_steps

    for number, step in list_steps(release.read(CHANGELOG).decode("utf-8"), installed):
        call.note(f"{number}: {step}")


def _smoke(call: Call) -> tuple[dict[str, str], bool]:
    """Run the checks of `darkroom smoke`; return their outcomes, and whether all passed."""
    from cli.smoke.checks import GROUPS
    from cli.smoke.running import selected
    from cli.smoke.session import check_stack
    from cli.smoke.world import world_of

    report = check_stack(world_of(call.deployment), selected(GROUPS, ()), [])
    for line in report.lines():
        call.note(line)
    outcomes = {str(one["name"]): str(one["outcome"]) for one in report.document()["checks"]}
    return outcomes, report.status == ExitCode.OK


def _prune(call: Call) -> list[str]:
    """Delete old versions of the transform function; return their numbers."""
    from cli.versions import KEEP, delete_versions

    from .stack import find_function

    deleted: list[str] = []
    name = find_function(call.deployment, "transform")
    delete_versions(call.deployment.client("lambda"), name, KEEP, report=deleted.append)
    return deleted
