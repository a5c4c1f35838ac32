"""Install a release, or upgrade a stack to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import boto3

from cli.deployment import make_client
from cli.errors import WrongArgument
from cli.preflight.templates import fill_defaults

from .change_sets import ChangeSet, describe_stack, make_change_set
from .files import BUCKET, PREFIX, ensure_bucket, list_needed, name_address, name_bucket, name_prefix, upload_files
from .release import Release

type Report = Callable[[str], object]


@dataclass(frozen=True)
class Installation:
    """A stack of a release: the first one, or an extension's if ``extension`` names one.

    ``given`` are values of parameters, ``""`` for ``bucket`` is the account's bucket of releases.
    """

    release: Release
    session: boto3.Session
    stack: str
    given: Mapping[str, str]
    extension: str = ""
    bucket: str = ""
    endpoint: str | None = None

    def client(self, service: str) -> Any:
        """Create a client of a service."""
        return make_client(self.session, service, self.endpoint)

    def prepare(self, report: Report) -> ChangeSet | None:
        """Copy what the stack needs to the bucket, and make the change set; return None if nothing would change.

        Raises BadRelease, WrongArgument, WrongBucket and DeploymentFailed.
        """
        region, existing = str(self.session.region_name), read_parameters(self.client("cloudformation"), self.stack)
        arch = self.given.get("Arch") or existing.get("Arch") or _first(self.release.templates)
        template = self.release.read_template(arch, self.extension)
        declared = template.get("Parameters", {})
        if unknown := sorted(self.given.keys() - declared.keys()):
            raise WrongArgument(f"{self.release.version} has no parameter {', '.join(unknown)}.")
        account = str(self.client("sts").get_caller_identity()["Account"])
        bucket = self.bucket or name_bucket(account, region)
        s3 = self.client("s3")
        if ensure_bucket(s3, bucket, region, account):
            report(f"created the bucket {bucket} for files of releases")
        places = {name: value for name, value in self._places(bucket).items() if name in declared}
        kept = {name: value for name, value in existing.items() if name in declared}
        values = fill_defaults(template, {**kept, **self.given, **self._places(bucket)}) | self._places(bucket)
        path = self.release.find_template(arch, self.extension)
        needed = [*list_needed(template, values, region), path]
        upload_files(s3, bucket, self.release, iter(needed), lambda name, size: report(f"{size / 1e6:7.2f} MB  {name}"))
        parameters: dict[str, str | None] = {**dict.fromkeys(kept), **self.given, **places}
        address = name_address(bucket, region, self.release.version, path)
        return make_change_set(self.client("cloudformation"), self.stack, address, parameters, self.release.version)

    def _places(self, bucket: str) -> dict[str, str]:
        return {BUCKET: bucket, PREFIX: name_prefix(self.release.version)}

    def read_outputs(self) -> dict[str, str]:
        """Return the outputs of the stack."""
        found = describe_stack(self.client("cloudformation"), self.stack)
        return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}


def read_parameters(cloudformation: Any, stack: str) -> dict[str, str]:
    """Return the parameters of a stack, none if it does not exist."""
    found = describe_stack(cloudformation, stack)
    return {one["ParameterKey"]: one["ParameterValue"] for one in found.get("Parameters", [])}


def describe_addresses(outputs: Mapping[str, str], stack: str, region: str) -> Sequence[str]:
    """Return lines with what to try first, for the outputs of a first stack."""
    cdn, where = outputs.get("CdnUrl", ""), f"--stack {stack} --region {region}"
    return [
        f"CDN:      {cdn}",
        f"Uploads:  darkroom upload photo.jpg {where}",
        "Then try:",
        f"  {cdn}/photo.jpg?w=800",
        f"  {cdn}/photo.jpg?preset=cover",
        f"  {cdn}/photo.jpg?f=json",
    ]


def _first(templates: Mapping[str, object]) -> str:
    """Return the processor of a new stack: arm64, which costs less, unless the release has it not."""
    return "arm64" if "arm64" in templates else min(templates)
