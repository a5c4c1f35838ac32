"""What each function may do: the whole of it, to hold the template against."""

from __future__ import annotations

from collections.abc import Iterable

type Grants = dict[str, list[str]]

DISTRIBUTION = "arn:aws:cloudfront::111122223333:distribution/<Distribution>"
OF_NO_RESOURCE = {
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "cloudwatch:GetMetricData",
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
}
"""Actions that IAM knows no resources for, or that Lambda asks for without."""

MASTERS = "arn:aws:s3:::<MediaBucket>/masters/*"
DERIVATIVES = "<MediaBucket.Arn>/derivatives/*"
HELD, FINDINGS = "<MediaBucket.Arn>/held/*", "<MediaBucket.Arn>/findings/*"
AUDIT, SWITCHES, WATCH = "<AuditBucket.Arn>/*", "<MediaBucket.Arn>/switches/*", "<MediaBucket.Arn>/watch/*"
LIBRARY, SCENES = "<MediaBucket.Arn>/library/*", "<MediaBucket.Arn>/scenes/*"
SCENE_EXECUTIONS = "arn:aws:states:eu-central-1:111122223333:execution:stack-scene:*"
INDEX, BY_SHA256 = "<IndexTable.Arn>", "<IndexTable.Arn>/index/by-sha256"
VECTORS, VECTOR_INDEX = "<VectorTable.Arn>", "<VectorIndex.IndexArn>"
BUCKETS_OF_PICTURES = ["<MediaBucket.Arn>", "arn:aws:s3:::<MediaBucket>"]


def each(actions: Iterable[str], *resources: str) -> Grants:
    """All of ``actions`` on all of ``resources``."""
    return {action: [*resources] for action in actions}


WATERMARKS = "<MediaBucket.Arn>/watermarks/*"
CONSUMES = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes")
TRACES = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
LOGS = ("logs:CreateLogStream", "logs:PutLogEvents")
INVALIDATES = ("cloudfront:CreateInvalidation", "cloudfront:GetInvalidation", "cloudfront:ListInvalidations")

GRANTS: dict[str, Grants] = {
    "Transform": {
        "s3:GetObject": [MASTERS, WATERMARKS, FINDINGS, SWITCHES, DERIVATIVES],
        "s3:PutObject": [DERIVATIVES],
        "s3:DeleteObject": [DERIVATIVES],
        "secretsmanager:GetSecretValue": ["<SigningKeys.Id>"],
    },
    "Ingest": {
        "s3:GetObject": ["<UploadsBucket.Arn>/*", MASTERS, DERIVATIVES, HELD, SCENES, FINDINGS, WATERMARKS],
        "s3:GetObjectVersion": ["<UploadsBucket.Arn>/*"],
        "s3:ListBucket": ["<UploadsBucket.Arn>", *BUCKETS_OF_PICTURES],
        "s3:ListBucketVersions": ["<UploadsBucket.Arn>"],
        "s3:PutObject": [AUDIT, MASTERS, DERIVATIVES, HELD, FINDINGS, "<QuarantineBucket.Arn>/*"],
        "s3:DeleteObject": [MASTERS, DERIVATIVES, HELD, SCENES],
        "states:StartExecution": ["<SceneMachine>"],
        "states:DescribeExecution": [SCENE_EXECUTIONS],
        "dynamodb:GetItem": [INDEX],
        "dynamodb:PutItem": [INDEX],
        "dynamodb:UpdateItem": [INDEX],
        "dynamodb:Query": [BY_SHA256],
        "secretsmanager:GetSecretValue": ["<SigningKeys.Id>"],
        **each(CONSUMES, "<IngestQueue.Arn>"),
        "sqs:SendMessage": ["<IngestQueue.Arn>", "<IngestDeadLetters.Arn>", "<PurgeQueue.Arn>"],
        "events:PutEvents": ["arn:aws:events:eu-central-1:111122223333:event-bus/default"],
    },
    "Sweep": {
        "s3:GetObject": [MASTERS],
        "s3:ListBucket": ["<UploadsBucket.Arn>", "arn:aws:s3:::<MediaBucket>"],
        "dynamodb:GetItem": [INDEX],
        "dynamodb:BatchGetItem": [INDEX],
        "dynamodb:PutItem": [INDEX],
        "sqs:SendMessage": ["<IngestQueue.Arn>"],
        "sqs:GetQueueAttributes": ["<IngestQueue.Arn>"],
    },
    "Library": {
        "s3:GetObject": [LIBRARY, DERIVATIVES, MASTERS, HELD, WATERMARKS, "<UploadsBucket.Arn>/*"],
        "s3:PutObject": [LIBRARY, DERIVATIVES],
        "s3:DeleteObject": [DERIVATIVES],
        "s3:ListBucket": ["<UploadsBucket.Arn>", *BUCKETS_OF_PICTURES],
        "dynamodb:GetItem": [INDEX],
        "sqs:SendMessage": ["<IngestQueue.Arn>"],
    },
    "Scene": {
        **each(("s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"), SCENES),
        "s3:GetObject": [SCENES, "<UploadsBucket.Arn>/*"],
        "s3:GetObjectVersion": ["<UploadsBucket.Arn>/*"],
        "s3:ListBucket": ["<UploadsBucket.Arn>", "<MediaBucket.Arn>"],
        "sqs:SendMessage": ["<IngestQueue.Arn>"],
    },
    "Purge": {
        "s3:GetObject": [MASTERS, DERIVATIVES],
        "s3:DeleteObject": [DERIVATIVES],
        "s3:ListBucket": BUCKETS_OF_PICTURES,
        **each(INVALIDATES, DISTRIBUTION),
        **each(CONSUMES, "<PurgeQueue.Arn>"),
        "sqs:SendMessage": ["<PurgeQueue.Arn>", "<PurgeDeadLetters.Arn>"],
    },
    "Refine": {
        "s3:GetObject": [MASTERS, WATERMARKS, FINDINGS, DERIVATIVES],
        "s3:PutObject": [DERIVATIVES],
        "s3:DeleteObject": [DERIVATIVES],
        **each(CONSUMES, "<RefineQueue.Arn>"),
        "sqs:SendMessage": ["<RefineDeadLetters.Arn>"],
    },
    "Forget": {
        **each(
            ("s3:ListBucket", "s3:ListBucketVersions"),
            "<UploadsBucket.Arn>",
            "<QuarantineBucket.Arn>",
            *BUCKETS_OF_PICTURES,
        ),
        **each(
            ("s3:DeleteObject", "s3:DeleteObjectVersion"),
            "<UploadsBucket.Arn>/*",
            "<QuarantineBucket.Arn>/*",
            DERIVATIVES,
            HELD,
            SCENES,
            FINDINGS,
            MASTERS,
        ),
        "s3:PutObject": [AUDIT],
        "s3:GetObject": [MASTERS],
        "dynamodb:GetItem": [INDEX, VECTORS],
        "dynamodb:BatchGetItem": [INDEX],
        "dynamodb:DeleteItem": [INDEX, VECTORS],
        "dynamodb:Query": [BY_SHA256],
        **each(INVALIDATES, DISTRIBUTION),
        "sqs:SendMessage": ["<PurgeQueue.Arn>"],
    },
    "Monitor": {
        "s3:GetObject": [SWITCHES, WATCH, "<MediaBucket.Arn>/golden/*"],
        "s3:PutObject": [SWITCHES, WATCH, AUDIT],
        "s3:ListBucket": ["<MediaBucket.Arn>"],
        "dynamodb:GetItem": [INDEX],
        "dynamodb:BatchGetItem": [INDEX],
        "dynamodb:PutItem": [INDEX],
        "cloudwatch:GetMetricData": ["*"],
        **each(CONSUMES, "<IngestDeadLetters.Arn>", "<PurgeDeadLetters.Arn>", "<RefineDeadLetters.Arn>"),
        "sqs:SendMessage": ["<IngestQueue.Arn>", "<PurgeQueue.Arn>", "<RefineQueue.Arn>"],
        "events:PutEvents": ["arn:aws:events:eu-central-1:111122223333:event-bus/default"],
    },
    "Upload": {
        "s3:PutObject": ["<UploadsBucket.Arn>/*"],
        "dynamodb:GetItem": [INDEX],
        "secretsmanager:GetSecretValue": ["<SigningKeys.Id>"],
    },
    "Similar": {
        "dynamodb:GetItem": [INDEX, VECTORS],
        "dynamodb:BatchGetItem": [INDEX],
        "dynamodb:Query": [VECTORS],
        "secretsmanager:GetSecretValue": ["<SigningKeys.Id>"],
    },
}
"""All that each function may do in the default deployment, but for its log, its traces and its life in a VPC."""

INFER: Grants = {
    "s3:GetObject": [MASTERS, HELD, FINDINGS, SWITCHES, DERIVATIVES],
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
"""The same of the infer function, which the default deployment does not have; its endpoint comes on top."""

KEY_USES = {
    "Transform": ({"Decrypt", "GenerateDataKey"}, {"s3", "secretsmanager"}),
    "Ingest": ({"Decrypt", "DescribeKey", "GenerateDataKey"}, {"s3", "dynamodb", "secretsmanager"}),
    "Sweep": ({"Decrypt", "DescribeKey"}, {"s3", "dynamodb"}),
    "Library": ({"Decrypt", "DescribeKey", "GenerateDataKey"}, {"s3", "dynamodb"}),
    "Scene": ({"Decrypt", "DescribeKey", "GenerateDataKey"}, {"s3"}),
    "Purge": ({"Decrypt"}, {"s3"}),
    "Refine": ({"Decrypt", "GenerateDataKey"}, {"s3"}),
    "Forget": ({"Decrypt", "DescribeKey", "GenerateDataKey"}, {"s3", "dynamodb"}),
    "Monitor": ({"Decrypt", "DescribeKey", "GenerateDataKey"}, {"s3", "dynamodb"}),
    "Upload": ({"Decrypt", "DescribeKey", "GenerateDataKey"}, {"s3", "dynamodb", "secretsmanager"}),
    "Similar": ({"Decrypt", "DescribeKey"}, {"dynamodb", "secretsmanager"}),
}
"""What each function does with a key of one's own, and through which services."""

INFER_KEY_USES = ({"Decrypt", "DescribeKey", "GenerateDataKey"}, {"s3", "dynamodb"})
