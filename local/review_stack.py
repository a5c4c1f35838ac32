"""Deploy ``stacks/review.yaml`` to MiniStack, whose Cognito has the hosted pages, keys and tokens of AWS's.

The console has the same pages without sign-in (:mod:`local.review_app`); this is the app as on AWS: behind the CDN, in
its function, with its role.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tools.stack_parameters import build_review_parameters

from . import tool_venvs
from .aws import Cloud
from .own_stack import deploy_own_stack
from .paths import Ports, StackPaths
from .progress import Progress

NAME = "review"
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
    await tool_venvs.ensure_one(tool_venvs.ACCOUNTS, progress)
    return (tool_venvs.site_packages(tool_venvs.ACCOUNTS),)


async def deploy(paths: StackPaths, cloud: Cloud, ports: Ports, progress: Progress) -> Sequence[str]:
    """Deploy the stack and create its accounts; return what to print about the app. Raises StartError."""
    build = partial(build_review_parameters, cdn_url=ports.cdn_url)
    found = await deploy_own_stack(paths, cloud, progress, NAME, build, {"CognitoUrl": ports.aws_url})
    await asyncio.to_thread(create_accounts, cloud, found["UserPoolId"])
    return f"Review app   {found['ReviewUrl']}", f"             {', '.join(ACCOUNTS)}; password {PASSWORD}"


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
