"""Grants that tests/cases/api-calls.json does not account for."""

from __future__ import annotations

type Grants = dict[str, list[str]]
"""Actions by resource."""

UNRECORDED: dict[str, Grants] = {
    "Transform": {
        "<MediaBucket.Arn>/derivatives/*": ["s3:DeleteObject"],
        "<MediaBucket.Arn>/overlays/*": ["s3:GetObject"],
    },
    "Refine": {
        "<MediaBucket.Arn>/derivatives/*": ["s3:DeleteObject"],
        "<MediaBucket.Arn>/findings/*": ["s3:GetObject"],
        "<MediaBucket.Arn>/overlays/*": ["s3:GetObject"],
        "<MediaBucket.Arn>/watermarks/*": ["s3:GetObject"],
        "arn:aws:kms:eu-central-1:111122223333:key/*": ["kms:Sign"],
    },
    "Ingest": {
        "<MediaBucket.Arn>/manifests/*": ["s3:DeleteObject"],
        "arn:aws:kms:eu-central-1:111122223333:key/*": ["kms:Sign"],
        "<MediaBucket.Arn>/findings/*": ["s3:GetObject", "s3:PutObject"],
        "<MediaBucket.Arn>/overlays/*": ["s3:GetObject"],
        "<MediaBucket.Arn>/watermarks/*": ["s3:GetObject"],
        "<UploadsBucket.Arn>": ["s3:ListBucketVersions"],
        "<SigningKeys.Id>": ["secretsmanager:GetSecretValue"],
        "<IngestDeadLetters.Arn>": ["sqs:SendMessage"],
        "<ReviewDeadLetters.Arn>": ["sqs:SendMessage"],
        "arn:aws:states:eu-central-1:111122223333:execution:stack-scene:*": ["states:DescribeExecution"],
    },
    "Scene": {
        "<MediaBucket.Arn>/scenes/*": ["s3:AbortMultipartUpload"],
        "<UploadsBucket.Arn>/*": ["s3:GetObjectVersion"],
    },
    "Library": {
        "<MediaBucket.Arn>/derivatives/*": ["s3:DeleteObject", "s3:GetObject"],
        "<MediaBucket.Arn>/manifests/*": ["s3:DeleteObject"],
        "<MediaBucket.Arn>/overlays/*": ["s3:GetObject"],
        "<MediaBucket.Arn>/watermarks/*": ["s3:GetObject"],
        "<IngestQueue.Arn>": ["sqs:SendMessage"],
    },
    "Publish": {  # in a rollback, and for private images: tests/component/services/test_publish.py
        "<SigningKeys.Id>": ["secretsmanager:GetSecretValue"],
        "arn:aws:cloudformation:eu-central-1:111122223333:stack/stack/3f2504e0-4f89-11d3-9a0c-0305e82c3301": [
            "cloudformation:DescribeStacks"
        ],
    },
    "Purge": {
        "<MediaBucket.Arn>/held/*": ["s3:GetObject"],
        "<MediaBucket.Arn>/manifests/*": ["s3:DeleteObject", "s3:GetObject"],
    },
    "Forget": {
        "arn:aws:cloudfront::111122223333:distribution/<Distribution>": [
            "cloudfront:GetInvalidation",
            "cloudfront:ListInvalidations",
        ],
        "<MediaBucket.Arn>/findings/*": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
        "<MediaBucket.Arn>/held/*": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
        "<MediaBucket.Arn>/manifests/*": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
        "<MediaBucket.Arn>/scenes/*": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
        "<MediaBucket.Arn>/masters/*": ["s3:DeleteObjectVersion"],
        "<QuarantineBucket.Arn>/*": ["s3:DeleteObjectVersion"],
        "<UploadsBucket.Arn>": ["s3:ListBucket"],
    },
    "Popular": {"<MediaBucket.Arn>/experiments/*": ["s3:DeleteObject"]},
    "Monitor": {
        "<MediaBucket.Arn>/switches/*": ["s3:PutObject"],
        "<IngestDeadLetters.Arn>": ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"],
        "<PurgeDeadLetters.Arn>": ["sqs:DeleteMessage"],
        "<RefineDeadLetters.Arn>": ["sqs:DeleteMessage"],
        "<IngestQueue.Arn>": ["sqs:SendMessage"],
        "<PurgeQueue.Arn>": ["sqs:SendMessage"],
        "<RefineQueue.Arn>": ["sqs:SendMessage"],
    },
    "Upload": {"<MediaBucket.Arn>": ["s3:ListBucket"]},
    "Similar": {"<MediaBucket.Arn>": ["s3:ListBucket"]},
    "Infer": {
        "<IndexTable.Arn>": ["dynamodb:DeleteItem"],
        "<MediaBucket.Arn>/derivatives/*": ["s3:DeleteObject", "s3:GetObject"],
        "<MediaBucket.Arn>/findings/*": ["s3:DeleteObject"],
        "arn:aws:sagemaker:eu-central-1:111122223333:endpoint/mine": [
            "sagemaker:DescribeEndpoint",
            "sagemaker:InvokeEndpoint",
        ],
        "<PurgeQueue.Arn>": ["sqs:SendMessage"],
    },
}
"""Grants, actions by resource, for calls that no test of the stack has a function make: failures, moderation, what the
monitor does once a day. A new row needs a reason; one whose call is recorded since has to go."""
