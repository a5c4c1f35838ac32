"""The review app on the local stack, whose Cognito has the hosted pages, keys and tokens of AWS's.

The console has the same pages without sign-in (:mod:`local.review_app`); this is the app as on AWS: behind the CDN, in
its function, with its role.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from local import tool_venvs
from local.aws import Cloud
from local.extension_stacks import LocalParts
from local.paths import Ports
from local.progress import Progress

PACKAGES = "review-app"
PASSWORD = "Analytical-Engine-1843"  # noqa: S105
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
    await tool_venvs.ensure_one(PACKAGES, progress)
    return (tool_venvs.site_packages(PACKAGES),)


async def _create_accounts(cloud: Cloud, outputs: Mapping[str, str], _: Ports) -> Sequence[str]:
    await asyncio.to_thread(create_accounts, cloud, outputs["UserPoolId"])
    return f"Review app   {outputs['ReviewUrl']}", f"             {', '.join(ACCOUNTS)}; password {PASSWORD}"


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


PARTS = LocalParts(
    prepare=prepare,
    build_parameters=lambda ports: {"CognitoUrl": ports.aws_url},
    finish=_create_accounts,
)
