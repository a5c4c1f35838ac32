"""IAM in MiniStack: enforce function roles, and record each kind of call.

With ``AUTH=true`` MiniStack gives each function credentials of its role, checks signatures and evaluates policies. This
module adds behaviour of AWS that version 1.5.33 lacks:

- Batches of SQS need the permission of the single operation (Amazon SQS developer guide, "Amazon SQS API permissions:
  Actions and resource reference"). MiniStack checks ``sqs:SendMessageBatch``, which does not exist.
- ``dynamodb:LeadingKeys``, which conditions of the template use.
- Calls of key-value stores are checked against the ARN in their path. MiniStack does not know it.
- Conditional deletes and writes by entity tag need ``s3:GetObject`` (Amazon S3 user guide, "Enforce conditional deletes
  on Amazon S3 buckets").
- ``*`` and ``?`` of a policy stand for every character, line feeds too, which keys of uploads may contain (IAM user
  guide, "IAM JSON policy elements: Resource"). MiniStack's stop at a line feed.
- Without ``s3:ListBucket`` a missing object is 403, not 404 (Amazon S3 API reference, "GetObject" and "HeadObject").
- Bucket policies require TLS. HTTP on 127.0.0.1 counts as TLS.

Credentials that MiniStack did not issue are those of the root user, as without ``AUTH``.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

RECORD = "DARKROOM_API_CALLS"
"""Environment variable of MiniStack: the file to which calls are appended as JSON lines. Without it none are recorded.
"""

SWITCH = {"AUTH": "true"}
"""Environment variables that enable policy evaluation in MiniStack."""

KEY_VALUE_STORES = "cloudfront-keyvaluestore"
_STORE = re.compile("/key-value-stores/(arn:[^/]+/[0-9A-Za-z-]+)")

MISSING = (b"NoSuchKey", b"NoSuchVersion")
DENIED = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'
)


class Recorder:
    """Appends calls to a file, each distinct call once, in order of first occurrence."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._seen: set[str] = set()
        self._lock = threading.Lock()

    def note(
        self, principal_arn: str, action: str, resource: str, context: Mapping[str, Any], *, allowed: bool
    ) -> None:
        """Append the call of a role session ``principal_arn``. Calls of other principals are ignored."""
        kind, *names = principal_arn.rpartition(":")[2].split("/")
        if self._path is None or kind != "assumed-role":
            return
        call = {
            "role": names[0],
            "function": names[-1],
            "action": action,
            "resource": resource,
            "context": {name: value for name, value in context.items() if value is not None},
            "allowed": allowed,
        }
        line = json.dumps(call, sort_keys=True)
        with self._lock:
            if line not in self._seen:
                self._seen.add(line)
                with self._path.open("a") as file:
                    file.write(line + "\n")


def find_leading_keys(body: Mapping[str, Any], partition_key: str) -> list[str]:
    """Return values of ``dynamodb:LeadingKeys`` for a request. ``partition_key`` is the name of the table's key
    attribute.

    Source: DynamoDB developer guide, "Using IAM policy conditions for fine-grained access control".
    """
    requests = (body.get("RequestItems") or {}).values()
    items = [
        *(item for item in (body.get("Key"), body.get("Item")) if item),
        *(key for one in requests if isinstance(one, dict) for key in one.get("Keys", [])),
    ]
    return [str(value) for item in items for value in (item.get(partition_key) or {}).values()]


def find_conditional_reads(
    method: str, path: str, headers: Mapping[str, str], query: Mapping[str, Any], body: bytes
) -> list[str]:
    """Return ARNs of objects that the request changes conditionally, for which S3 requires read permission."""
    bucket, _, key = path.lstrip("/").partition("/")
    by_tag = headers.get("if-match", "*") != "*"
    if key and by_tag and method in ("PUT", "POST", "DELETE"):
        return [f"arn:aws:s3:::{bucket}/{key}"]
    if not key and method == "POST" and "delete" in query:
        return [f"arn:aws:s3:::{bucket}/{name}" for name in _deleted_by_tag(body)]
    return []


def _deleted_by_tag(body: bytes) -> Iterator[str]:
    try:
        document = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        return
    for entry in document.iter():
        if entry.tag.rpartition("}")[2] == "Object":
            fields = {child.tag.rpartition("}")[2]: child.text or "" for child in entry}
            if fields.get("ETag"):
                yield fields["Key"]


def is_missing_object(method: str, path: str, status: int, body: bytes) -> bool:
    """Return whether S3 answers 404 to a read or copy of a missing object."""
    bucket, _, key = path.lstrip("/").partition("/")
    if status != 404 or not bucket or not key:
        return False
    return method == "HEAD" or (method in ("GET", "PUT") and any(code in body for code in MISSING))


def enforce_permissions(
    app: Any, evaluator: Any, actions: Any, *, iam: Any, sts: Any, dynamodb: Any, record: str
) -> None:
    """Patch MiniStack's application and its IAM and DynamoDB modules. ``record`` is a file, "" for none."""
    _treat_http_as_tls(app)
    evaluator._fnmatch_compile = compile_wildcards
    _treat_unknown_keys_as_root(evaluator, iam, sts)
    _name_batches(actions)
    _name_key_value_stores(actions)
    _add_leading_keys(actions, dynamodb)
    _add_conditional_reads(actions)
    recorder = Recorder(Path(record) if record else None)
    _hide_missing_objects(app, evaluator, recorder)  # before calls are recorded: it makes none
    _record_calls(evaluator, recorder)


def _treat_http_as_tls(app: Any) -> None:
    own = app.pin_request_origin
    app.pin_request_origin = lambda source_ip, _: own(source_ip, True)


def _treat_unknown_keys_as_root(evaluator: Any, iam: Any, sts: Any) -> None:
    """Give credentials that MiniStack did not issue all permissions: they belong to the user of this machine."""
    own = evaluator.is_root_access_key

    def is_root(access_key_id: str) -> bool:
        issued = access_key_id in sts._sessions or any(key == access_key_id for _, key in iam._access_keys.to_dict())
        return own(access_key_id) or not issued

    evaluator.is_root_access_key = is_root


@lru_cache(4096)
def compile_wildcards(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    """Return the expression that matches what a policy's ``pattern`` stands for."""
    parts = (".*" if one == "*" else "." if one == "?" else re.escape(one) for one in pattern)
    return re.compile(rf"{''.join(parts)}\Z", re.DOTALL | (re.IGNORECASE if ignore_case else re.NOFLAG))


def to_permission(action: str) -> str:
    """Return the IAM permission for MiniStack's name of an operation."""
    return action.removesuffix("Batch") if action.startswith("sqs:") else action


def _name_batches(actions: Any) -> None:
    own = actions.extract_iam_action

    def extract(*request: Any, **named: Any) -> str | None:
        action = own(*request, **named)
        return action and to_permission(action)

    actions.extract_iam_action = extract


def find_key_value_store(path: str) -> str:
    """Return the ARN of the key-value store that the path of a request names, "*" if it names none."""
    found = _STORE.match(unquote(path))
    return found[1] if found else "*"


def _name_key_value_stores(actions: Any) -> None:
    """Check calls of key-value stores against the ARN of the store."""
    own = actions.extract_resource_arn

    def extract(service: str, method: str, path: str, *rest: Any, **named: Any) -> Any:
        if service == KEY_VALUE_STORES:
            return find_key_value_store(path)
        return own(service, method, path, *rest, **named)

    actions.extract_resource_arn = extract


def _add_leading_keys(actions: Any, dynamodb: Any) -> None:
    own = actions.dynamodb_service_context

    def context(body: bytes) -> dict[str, Any]:
        found = dict(own(body))
        request = json.loads(body or b"{}")
        names = [request["TableName"]] if request.get("TableName") else list(request.get("RequestItems") or {})
        table = dynamodb._tables.get(str(names[0]).rpartition("/")[2]) if names else None
        schema = (table or {}).get("KeySchema", [])
        partition = next((one["AttributeName"] for one in schema if one["KeyType"] == "HASH"), "")
        if keys := find_leading_keys(request, partition):
            found["dynamodb:LeadingKeys"] = keys
        return found

    actions.dynamodb_service_context = context


def _add_conditional_reads(actions: Any) -> None:
    own = actions.s3_additional_checks

    def checks(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Any:
        reads = find_conditional_reads(method, path, headers, query, body)
        return [*own(method, path, headers, body, query), *(("s3:GetObject", arn) for arn in reads)]

    actions.s3_additional_checks = checks


def _caller(evaluator: Any, access_key_id: str) -> str:
    """Return the ARN of the caller, "" for the root user."""
    if not access_key_id or evaluator.is_root_access_key(access_key_id):
        return ""
    return str((evaluator.resolve_caller_identity(access_key_id) or {}).get("userArn", ""))


def find_role(evaluator: Any, access_key_id: str) -> str:
    """Return the name of the role whose session called, "" for another principal."""
    kind, *names = _caller(evaluator, access_key_id).rpartition(":")[2].split("/")
    return names[0] if kind == "assumed-role" else ""


def _record_calls(evaluator: Any, recorder: Recorder) -> None:
    own = evaluator.enforce

    def enforce(access_key_id: str, iam_action: str, *rest: Any, **named: Any) -> Any:
        denied = own(access_key_id, iam_action, *rest, **named)
        if principal := _caller(evaluator, access_key_id):
            resource = named.get("resource_arn") or (rest[2] if len(rest) > 2 else "*")
            context = named.get("service_context") or (rest[3] if len(rest) > 3 else None) or {}
            recorder.note(principal, iam_action, resource, context, allowed=denied is None)
        return denied

    evaluator.enforce = enforce


def _hide_missing_objects(app: Any, evaluator: Any, recorder: Recorder) -> None:
    own, enforce = app.SERVICE_HANDLERS["s3"], evaluator.enforce

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Any:
        answer = await own(method, path, headers, body, query)
        text = answer[2] if isinstance(answer[2], bytes) else b""
        if not is_missing_object(method, path, answer[0], text):
            return answer
        key = app.extract_access_key_id(headers, query)
        source = headers.get("x-amz-copy-source", "") if method == "PUT" else path
        bucket = source.lstrip("/").partition("/")[0]
        if not (principal := _caller(evaluator, key)):
            return answer
        if enforce(key, "s3:ListBucket", "s3", app.extract_region(headers), f"arn:aws:s3:::{bucket}"):
            return 403, {"Content-Type": "application/xml"}, b"" if method == "HEAD" else DENIED
        recorder.note(principal, "s3:ListBucket", f"arn:aws:s3:::{bucket}", {}, allowed=True)
        return answer

    app.SERVICE_HANDLERS["s3"] = handle
