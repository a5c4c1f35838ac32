"""Deploy ``stacks/review.yaml`` to MiniStack, whose Cognito has the hosted pages, keys and tokens of AWS's.

The console has the same pages without sign-in (:mod:`local.review_app`); this is the app as on AWS: behind the CDN, in
its function, with its role.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from filelock import AsyncFileLock

from tools.review_parameters import build_parameters

from . import tool_venvs
from .aws import Cloud
from .deploy import run_sam
from .errors import StartError
from .paths import ROOT, STACK, Ports, StackPaths, architecture
from .progress import Progress

NAME = f"{STACK}-review"
TEMPLATE = "stacks/review.yaml"
BUILD = ROOT / ".aws-sam" / "review"
PASSWORD = "Analytical-Engine-1843"
"""Of each account."""


class Account(NamedTuple):
    """A person of the user pool."""

    name: str
    groups: tuple[str, ...]


ACCOUNTS: Mapping[str, Account] = {
    "ada@example.com": Account("Ada Lovelace", ("reviewer", "developer")),
    "grace@example.com": Account("Grace Hopper", ("reviewer",)),
    "alan@example.com": Account("Alan Turing", ()),
}
"""By address."""


async def prepare(progress: Progress) -> tuple[Path, ...]:
    """Return the folders of packages by which MiniStack signs tokens; without them it issues no valid ones."""
    await tool_venvs.ensure_accounts(progress)
    return (tool_venvs.site_packages(tool_venvs.ACCOUNTS),)


async def deploy(paths: StackPaths, cloud: Cloud, ports: Ports, progress: Progress) -> str:
    """Deploy the stack and create its accounts; return the address of the app. Raises StartError."""
    described = (await asyncio.to_thread(cloud.cloudformation.describe_stacks, StackName=STACK))["Stacks"][0]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in described["Outputs"]}
    parameters = {one["ParameterKey"]: one["ParameterValue"] for one in described["Parameters"]}
    given = build_parameters(STACK, ports.cdn_url, outputs, parameters) | {
        "Arch": architecture(),
        "CognitoUrl": ports.aws_url,
    }
    async with AsyncFileLock(ROOT / ".aws-sam" / ".lock"):
        with progress.step("Deploying the review app"):
            await _build_and_deploy(paths, cloud, [f"{name}={value}" for name, value in given.items() if value])
    review = (await asyncio.to_thread(cloud.cloudformation.describe_stacks, StackName=NAME))["Stacks"][0]
    found = {one["OutputKey"]: one["OutputValue"] for one in review["Outputs"]}
    await asyncio.to_thread(create_accounts, cloud, found["UserPoolId"])
    return found["ReviewUrl"]


async def _build_and_deploy(paths: StackPaths, cloud: Cloud, parameters: list[str]) -> None:
    build = await run_sam(
        *(paths, cloud, "build", "review-build"),
        *("--template", TEMPLATE, "--build-dir", str(BUILD), "--parameter-overrides", f"Arch={architecture()}"),
    )
    if build.status:
        raise StartError(f"sam build of {TEMPLATE} failed:\n{build.tail(25)}")
    done = await run_sam(
        *(paths, cloud, "deploy", "review-deploy"),
        *("--template", str(BUILD / "template.yaml"), "--stack-name", NAME),
        *("--parameter-overrides", *parameters),
    )
    if done.status:
        raise StartError(f"sam deploy of {TEMPLATE} failed:\n{done.tail(10)}")


def create_accounts(cloud: Cloud, pool: str) -> None:
    """Create the accounts in the user pool ``pool``, with passwords that need no change. Existing ones stay."""
    accounts = cloud.accounts
    for address, (name, groups) in ACCOUNTS.items():
        attributes = {"email": address, "email_verified": "true", "name": name}
        with suppress(accounts.exceptions.UsernameExistsException):
            accounts.admin_create_user(
                UserPoolId=pool,
                Username=address,
                UserAttributes=[{"Name": one, "Value": value} for one, value in attributes.items()],
                TemporaryPassword=PASSWORD,  # the emulator draws one that its own policy refuses
                MessageAction="SUPPRESS",
            )
        accounts.admin_set_user_password(UserPoolId=pool, Username=address, Password=PASSWORD, Permanent=True)
        for group in groups:
            accounts.admin_add_user_to_group(UserPoolId=pool, Username=address, GroupName=group)
