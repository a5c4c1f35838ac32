"""Grants that tests/cases/api-calls.json does not account for."""

from __future__ import annotations

from collections.abc import Iterable

type Grants = dict[str, list[str]]

MASTERS = "arn:aws:s3:::<MediaBucket>/masters/*"
DERIVATIVES = "<MediaBucket.Arn>/derivatives/*"
HELD, FINDINGS = "<MediaBucket.Arn>/held/*", "<MediaBucket.Arn>/findings/*"
VECTOR_INDEX = "<VectorIndex.IndexArn>"
SETTINGS, SWITCHES = "<MediaBucket.Arn>/settings/*", "<MediaBucket.Arn>/switches/*"
INDEX, BY_SHA256 = "<IndexTable.Arn>", "<IndexTable.Arn>/index/by-sha256"
BUCKETS_OF_PICTURES = ["<MediaBucket.Arn>", "arn:aws:s3:::<MediaBucket>"]
CONSUMES = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes")
TRACES = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
LOGS = ("logs:CreateLogStream", "logs:PutLogEvents")


def each(actions: Iterable[str], *resources: str) -> Grants:
    """All of ``actions`` on all of ``resources``."""
    return {action: [*resources] for action in actions}


UNRECORDED: dict[str, Grants] = {
    "Transform": {
        "<MediaBucket.Arn>/derivatives/*": ["s3:DeleteObject"],
        "<MediaBucket.Arn>/findings/*": ["s3:GetObject"],
    },
    "Refine": {
        "<MediaBucket.Arn>/derivatives/*": ["s3:DeleteObject"],
        "<MediaBucket.Arn>/findings/*": ["s3:GetObject"],
        "<MediaBucket.Arn>/watermarks/*": ["s3:GetObject"],
        "<RefineDeadLetters.Arn>": ["sqs:SendMessage"],
    },
    "Ingest": {
        "<MediaBucket.Arn>/held/*": ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
        "<MediaBucket.Arn>/findings/*": ["s3:GetObject", "s3:PutObject"],
        "<MediaBucket.Arn>/watermarks/*": ["s3:GetObject"],
        "<UploadsBucket.Arn>": ["s3:ListBucket", "s3:ListBucketVersions"],
        "<AuditBucket.Arn>/*": ["s3:PutObject"],
        "<SigningKeys.Id>": ["secretsmanager:GetSecretValue"],
        "<IngestDeadLetters.Arn>": ["sqs:SendMessage"],
        "arn:aws:states:eu-central-1:111122223333:execution:stack-scene:*": ["states:DescribeExecution"],
    },
    "Sweep": {
        "<IndexTable.Arn>": ["dynamodb:BatchGetItem"],
        "<MediaBucket.Arn>/masters/*": ["s3:GetObject"],
        "<MediaBucket.Arn>": ["s3:ListBucket"],
        "<IngestQueue.Arn>": ["sqs:SendMessage"],
    },
    "Scene": {
        "<MediaBucket.Arn>/scenes/*": ["s3:AbortMultipartUpload"],
        "<UploadsBucket.Arn>/*": ["s3:GetObjectVersion"],
        "<MediaBucket.Arn>": ["s3:ListBucket"],
        "<UploadsBucket.Arn>": ["s3:ListBucket"],
    },
    "Library": {
        "<IndexTable.Arn>": ["dynamodb:GetItem"],
        "<MediaBucket.Arn>/derivatives/*": ["s3:DeleteObject", "s3:GetObject"],
        "<MediaBucket.Arn>/held/*": ["s3:GetObject"],
        "<MediaBucket.Arn>/watermarks/*": ["s3:GetObject"],
        "<UploadsBucket.Arn>/*": ["s3:GetObject"],
        "<UploadsBucket.Arn>": ["s3:ListBucket"],
        "<IngestQueue.Arn>": ["sqs:SendMessage"],
    },
    "Purge": {
        "arn:aws:cloudfront::111122223333:distribution/<Distribution>": ["cloudfront:GetInvalidation"],
        "<IndexTable.Arn>": ["dynamodb:UpdateItem"],
        "<PurgeDeadLetters.Arn>": ["sqs:SendMessage"],
    },
    "Forget": {
        "arn:aws:cloudfront::111122223333:distribution/<Distribution>": [
            "cloudfront:GetInvalidation",
            "cloudfront:ListInvalidations",
        ],
        "<IndexTable.Arn>": ["dynamodb:UpdateItem"],
        "<MediaBucket.Arn>/findings/*": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
        "<MediaBucket.Arn>/held/*": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
        "<MediaBucket.Arn>/scenes/*": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
        "<MediaBucket.Arn>/masters/*": ["s3:DeleteObjectVersion"],
        "<QuarantineBucket.Arn>/*": ["s3:DeleteObjectVersion"],
        "<UploadsBucket.Arn>": ["s3:ListBucket"],
    },
    "Monitor": {
        "<IndexTable.Arn>": ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem"],
        "arn:aws:events:eu-central-1:111122223333:event-bus/default": ["events:PutEvents"],
        "<MediaBucket.Arn>/golden/*": ["s3:GetObject"],
        "<MediaBucket.Arn>/watch/*": ["s3:GetObject", "s3:PutObject"],
        "<MediaBucket.Arn>": ["s3:ListBucket"],
        "<AuditBucket.Arn>/*": ["s3:PutObject"],
        "<MediaBucket.Arn>/switches/*": ["s3:PutObject"],
        "<IngestDeadLetters.Arn>": ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"],
        "<PurgeDeadLetters.Arn>": ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"],
        "<RefineDeadLetters.Arn>": ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"],
        "<IngestQueue.Arn>": ["sqs:SendMessage"],
        "<PurgeQueue.Arn>": ["sqs:SendMessage"],
        "<RefineQueue.Arn>": ["sqs:SendMessage"],
    },
    "Upload": {"<MediaBucket.Arn>": ["s3:ListBucket"]},
    "Similar": {
        "<MediaBucket.Arn>": ["s3:ListBucket"],
        "<MediaBucket.Arn>/settings/*": ["s3:GetObject"],
        "<IndexTable.Arn>": ["dynamodb:BatchGetItem", "dynamodb:GetItem"],
        "<VectorTable.Arn>": ["dynamodb:GetItem", "dynamodb:Query"],
        "<SigningKeys.Id>": ["secretsmanager:GetSecretValue"],
    },
}
"""Grants, actions by resource, for calls that no test of the stack has a function make: failures, moderation, what the
monitor does once a day. A new row needs a reason; one whose call is recorded since has to go."""

INFER: Grants = {
    "s3:GetObject": [SETTINGS, MASTERS, HELD, FINDINGS, SWITCHES, DERIVATIVES],
    "s3:PutObject": [FINDINGS],
    "s3:DeleteObject": [FINDINGS, DERIVATIVES],
    "s3:ListBucket": BUCKETS_OF_PICTURES,
    "dynamodb:GetItem": [INDEX, "<VectorTable.Arn>"],
    "dynamodb:BatchGetItem": [INDEX],
    "dynamodb:PutItem": [INDEX, "<VectorTable.Arn>"],
    "dynamodb:DeleteItem": [INDEX, "<VectorTable.Arn>"],
    "dynamodb:Query": [BY_SHA256],
    **each(CONSUMES, "<InferQueue.Arn>", "<InferPriorityQueue.Arn>"),
    "sqs:SendMessage": ["<InferQueue.Arn>", "<InferDeadLetters.Arn>", "<PurgeQueue.Arn>", "<IngestQueue.Arn>"],
    "events:PutEvents": ["arn:aws:events:eu-central-1:111122223333:event-bus/default"],
}
"""All that the infer function may do, but for its log, its traces and its endpoint."""

INFER_KEY_USES = ({"Decrypt", "DescribeKey", "GenerateDataKey"}, {"s3", "dynamodb"})
