"""AWS API calls that functions of a local stack made, as rows of ``tests/cases/api-calls.json``.

``python -m tools.api_calls`` prints calls of the running local stack that are not in the table; ``--write`` adds them.
Rows contain no account, region, stack or object, so that they apply to every deployment: a resource is written as
``<MediaBucket.Arn>/masters/*``.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli import local_stack
from local.aws import Cloud
from tools import api_requests

TABLE = Path(__file__).resolve().parent.parent / "tests" / "cases" / "api-calls.json"
RECORD = "api-calls.jsonl"
"""The file in a local stack's state folder to which MiniStack appends calls."""

ARNS = {
    "AWS::S3::Bucket": ("arn:aws:s3:::{}", "Arn"),
    "AWS::DynamoDB::Table": ("arn:aws:dynamodb:{region}:{account}:table/{}", "Arn"),
    "AWS::SQS::Queue": ("arn:aws:sqs:{region}:{account}:{}", "Arn"),
    "AWS::SecretsManager::Secret": ("arn:aws:secretsmanager:{region}:{account}:secret:{}", "Id"),
    "AWS::StepFunctions::StateMachine": ("{}", ""),
    "AWS::CloudFront::KeyValueStore": ("arn:aws:cloudfront::{account}:key-value-store/{}", "Arn"),
}
"""The ARN of a resource by its type, built from its physical id, and the attribute with which the template refers to
it.
"""

_OF_MANY = ("image", "findings", "sample", "rollout", "erasure", "upload")
"""Kinds of index items with many instances. The partition keys of others are constants."""

_NAMED = ("AWS::SQS::Queue", "AWS::SecretsManager::Secret")
"""Types whose physical id ends in the name: a URL, an ARN."""

_SUFFIXED = ("<SigningKeys.Id>", "<LanguageKeys.Id>")
"""Secrets Manager appends a hyphen and six characters to the name of a secret in its ARN."""

_FOREIGN_BUCKET = re.compile(r"arn:aws:s3:::(?!<)")

_WHOLE_BUCKETS = ("UploadsBucket", "QuarantineBucket", "AuditBucket", "AccessLogBucket")
"""Buckets that roles may use as a whole. For others, they have prefixes."""


@dataclass(frozen=True, order=True)
class Call:
    """A kind of call of ``function``; ``keys`` are the leading keys of a DynamoDB table, as patterns."""

    function: str
    action: str
    resource: str
    keys: tuple[str, ...] = field(default=())


def read_table(path: Path = TABLE) -> list[Call]:
    """Read the rows of the table."""
    rows = json.loads(path.read_text())
    return [
        Call(function, action, resource, tuple(keys))
        for function, actions in rows.items()
        for action, resources in actions.items()
        for resource, keys in resources.items()
    ]


def write_table(calls: Iterable[Call], path: Path = TABLE) -> None:
    """Replace the rows of the table."""
    rows: dict[str, dict[str, dict[str, list[str]]]] = {}
    for call in sorted(calls):
        rows.setdefault(call.function, {}).setdefault(call.action, {})[call.resource] = list(call.keys)
    path.write_text(json.dumps(rows, indent=2) + "\n")


def merged(calls: Iterable[Call]) -> set[Call]:
    """Merge the leading keys of calls that are equal otherwise."""
    keys: dict[tuple[str, str, str], set[str]] = {}
    for call in calls:
        keys.setdefault((call.function, call.action, call.resource), set()).update(call.keys)
    return {Call(*call, tuple(sorted(found))) for call, found in keys.items()}


@dataclass(frozen=True)
class Names:
    """Names of a deployed stack: stack, account, region, and logical names by ARN and by role."""

    stack: str
    account: str
    region: str
    by_arn: Mapping[str, str]
    by_role: Mapping[str, str]

    def call(self, record: Mapping[str, Any]) -> Call:
        """Convert a line of the record to a call without names of this deployment."""
        keys = record["context"].get("dynamodb:LeadingKeys", [])
        return Call(
            self.by_role[record["role"]].removesuffix("Role"),
            record["action"],
            self.resource(record["resource"]),
            tuple(sorted({_key_pattern(key) for key in keys})),
        )

    def resource(self, arn: str) -> str:
        """Return ``arn`` in the form of the template."""
        for known, name in self.by_arn.items():
            if arn == known or (name in _SUFFIXED and arn.startswith(f"{known}-")):
                return name
            if arn.startswith(f"{known}/"):
                return f"{name}/{_pattern(name, arn.removeprefix(f'{known}/'))}"
        if found := re.fullmatch(r"arn:aws:s3:::([^/]+)(/.*)?", arn):  # LibraryBucket, which is not in the stack
            arn = f"arn:aws:s3:::{found[1]}" + ("/*" if found[2] else "")
        arn = re.sub(r"(:execution:[^:]+:).*", r"\1*", arn)
        arn = re.sub(r"(:secret:.+)-[0-9A-Za-z]{6}$", r"\1-*", arn)  # of an operator
        generic = arn.replace(f":{self.region}:", ":<AWS::Region>:").replace(f":{self.account}:", ":<AWS::AccountId>:")
        generic = re.sub(rf"\b{re.escape(self.stack)}-", "<AWS::StackName>-", generic)
        return re.sub(r"(:distribution/).*", r"\1<Distribution>", generic)


def _key_pattern(key: str) -> str:
    kind, mark, _ = key.partition("#")
    return key if mark and kind not in _OF_MANY else f"{kind}#*" if mark else "*"


def _pattern(name: str, rest: str) -> str:
    if name.endswith("Table.Arn>"):
        return rest  # index/<name>
    if name.strip("<>").partition(".")[0] in _WHOLE_BUCKETS or "/" not in rest:
        return "*"
    return f"{rest.partition('/')[0]}/*"


def names_of(cloudformation: Any, stack: str, region: str) -> Names:
    """Read the names of a deployed stack and of its nested stacks."""
    by_arn, by_role = dict[str, str](), dict[str, str]()
    account = ""
    for resource in _resources(cloudformation, stack):
        account = account or resource["StackId"].split(":")[4]
        logical, physical = resource["LogicalResourceId"], resource.get("PhysicalResourceId", "")
        if resource["ResourceType"] == "AWS::IAM::Role":
            by_role[physical] = logical
        elif known := ARNS.get(resource["ResourceType"]):
            name = re.split("[/:]", physical)[-1] if resource["ResourceType"] in _NAMED else physical
            attribute = f".{known[1]}" if known[1] else ""
            by_arn[known[0].format(name, region=region, account=account)] = f"<{logical}{attribute}>"
    return Names(stack, account, region, by_arn, by_role)


def _resources(cloudformation: Any, stack: str) -> Iterator[dict[str, Any]]:
    for resource in cloudformation.describe_stack_resources(StackName=stack)["StackResources"]:
        yield resource
        if resource["ResourceType"] == "AWS::CloudFormation::Stack":
            yield from _resources(cloudformation, resource["PhysicalResourceId"])


def recorded(state: Path) -> tuple[set[Call], list[dict[str, Any]]]:
    """Read the calls of the stack in ``state`` that are allowed, and the lines of those that were denied."""
    info = local_stack.read(state)
    names = names_of(Cloud(info["aws_endpoint_url"]).cloudformation, info["stack_name"], info["region"])
    record = state / RECORD
    lines = [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []
    of_functions = [line for line in lines if line["role"] in names.by_role]
    return (
        merged(names.call(line) for line in of_functions if line["allowed"]),
        [line for line in of_functions if not line["allowed"]],
    )


def missing_from(table: Iterable[Call], calls: Iterable[Call]) -> list[Call]:
    """Return the ``calls`` that the table lacks, but none on a bucket that a parameter of the deployment names."""
    rows = {(row.function, row.action, row.resource): set(row.keys) for row in table}

    def is_there(call: Call) -> bool:
        keys = rows.get((call.function, call.action, call.resource))
        return keys is not None and set(call.keys) <= keys

    return sorted(call for call in calls if not _FOREIGN_BUCKET.match(call.resource) and not is_there(call))


def main() -> int:
    """Run the command. Return 1 if calls are denied, refused by AWS's models, or not in the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--state-dir", type=Path, default=local_stack.STATE, help="state folder of the local stack")
    parser.add_argument("--write", action="store_true", help="add the calls to the table")
    arguments = parser.parse_args()
    try:
        calls, denied = recorded(arguments.state_dir)
    except ValueError as error:
        sys.exit(str(error))
    new = missing_from(read_table(), calls)
    for call in new:
        sys.stdout.write(" ".join((call.function, call.action, call.resource, *call.keys)) + "\n")
    for line in denied:
        sys.stdout.write(f"DENIED {line['function']} {line['action']} {line['resource']}\n")
    refused = list(api_requests.find_refused(api_requests.read_requests(arguments.state_dir)))
    for reason in refused:
        sys.stdout.write(f"REFUSED {reason}\n")
    if arguments.write and new:
        write_table(merged([*read_table(), *new]))
        return 0
    return int(bool(new or denied or refused))


if __name__ == "__main__":
    sys.exit(main())
