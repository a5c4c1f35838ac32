"""The review app beside the stack of template.yaml, and the cache behaviour that leads to it."""

from __future__ import annotations

from typing import Any

import pytest

from cli.stack_parameters import FirstStack, build_parameters
from darkroom.imaging.fonts import FOLDER_VARIABLE
from review_app.environment import ReviewEnvironment
from review_app.sign_in import SCOPE
from tests.component.template.own_stack import (
    OWN_SOURCE,
    check_parameters,
    find_behaviour,
    find_route,
    list_untagged,
    read_own_source,
)
from tests.component.template.policies import listed
from tests.component.template.schemas import faults, resources_of
from tests.component.template.stack import ROOT, TEMPLATE, Stack, template
from tests.component.template.test_parameters import LIBVIPS, POWERTOOLS
from tests.component.template.test_permissions import KEY, granted, statements

SOURCE = ROOT / "extensions" / "review_app" / "stack.yaml"
OUTPUTS = {
    "UploadApiUrl": "https://a1b2c3.execute-api.eu-central-1.amazonaws.com",
    "MediaBucketName": "media",
    "IndexTableName": "index",
    "AuditBucketName": "audit",
    "ReviewQueueUrl": "https://sqs.eu-central-1.amazonaws.com/111122223333/darkroom-review",
    "SigningKeysArn": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:keys-a1b2c3",
}
BASIC = build_parameters(SOURCE, FirstStack("darkroom", OUTPUTS, {}, "https://images.example.com"))
TABLE = "arn:aws:dynamodb:eu-central-1:111122223333:table/index"


def review(**parameters: str) -> Stack:
    return Stack(SOURCE, **{**BASIC, **parameters})


@pytest.mark.slow
@pytest.mark.parametrize("further", [{}, OWN_SOURCE, {"Mfa": "ON"}], ids=["basic", "own source", "mfa"])
def test_resources_match_their_schemas(further: dict[str, str]) -> None:
    kinds = ["AWS::Cognito::", "AWS::ApiGatewayV2::", "AWS::IAM::Role", "AWS::Lambda::Permission", "AWS::Logs::"]
    found = resources_of(review(**further), kinds)
    assert len(found) >= 10
    assert faults(found) == []


def test_the_command_prints_every_parameter_without_a_default() -> None:
    check_parameters(SOURCE, BASIC, OUTPUTS)
    known = {
        "SourceBucket": "photos",
        "SourcePrefix": "",
        "KmsKeyArn": KEY,
        "Arch": "x86_64",
        "RetentionDays": "1,2,3,4,5",
    }
    found = build_parameters(SOURCE, FirstStack("darkroom", OUTPUTS, known, "https://images.example.com"))
    assert {
        name: found[name] for name in ("ApiId", "SourceBucket", "SourcePrefix", "KmsKeyArn", "Arch", "LogDays")
    } == {
        **{"ApiId": "a1b2c3", "SourceBucket": "photos", "SourcePrefix": "", "KmsKeyArn": KEY},
        **{"Arch": "x86_64", "LogDays": "4"},
    }


def test_the_outputs_that_it_reads_are_those_of_the_template() -> None:
    assert OUTPUTS.keys() <= template(TEMPLATE)["Outputs"].keys()
    assert {"SourceBucket", "SourcePrefix", "KmsKeyArn", "Arch", "RetentionDays"} <= template(TEMPLATE)[
        "Parameters"
    ].keys()


def test_environment_is_what_the_function_reads() -> None:
    given = review().variables("ReviewFunction")
    assert set(given) == {field.upper() for field in ReviewEnvironment.fields()} | POWERTOOLS | LIBVIPS | {
        FOLDER_VARIABLE
    }
    assert given["POWERTOOLS_SERVICE_NAME"] == "review"
    assert given["POWERTOOLS_METRICS_NAMESPACE"] == "Darkroom/darkroom"
    assert given["ISSUER"] == "https://cognito-idp.eu-central-1.amazonaws.com/<UserPool>"
    assert given["KEYS_URL"] == ""
    assert given["PAGES_URL"] == "https://<UserPoolDomain>.auth.eu-central-1.amazoncognito.com"
    assert given["APP_URL"] == "https://images.example.com/_/review/"
    emulated = review(CognitoUrl="http://localhost:4566").variables("ReviewFunction")
    assert emulated["KEYS_URL"] == "http://localhost:4566/<UserPool>/.well-known/jwks.json"
    assert emulated["PAGES_URL"] == "http://localhost:4566"
    assert emulated["ISSUER"] == given["ISSUER"]


def test_only_an_administrator_creates_accounts_and_pkce_needs_no_secret() -> None:
    stack = review()
    pool, client = stack.properties("UserPool"), stack.properties("UserPoolClient")
    assert pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True
    assert {one["Name"]: one["Required"] for one in pool["Schema"]} == {"email": True, "name": True}
    assert client["GenerateSecret"] is False
    assert client["AllowedOAuthFlows"] == ["code"]
    assert client["AllowedOAuthScopes"] == SCOPE.split()
    # Tokens of a sign-in by the API could change the name that the audit log has. Without the property, it is on.
    assert client["ExplicitAuthFlows"] == ["ALLOW_REFRESH_TOKEN_AUTH"]
    assert client["CallbackURLs"] == ["https://images.example.com/_/review/signed-in"]
    assert client["LogoutURLs"] == ["https://images.example.com/_/review/app"]
    groups = {one["GroupName"] for one in stack.of_type("AWS::Cognito::UserPoolGroup").values()}
    assert groups == {"reviewer", "developer"}


def test_the_domain_is_one_that_cognito_takes() -> None:
    domain = review().properties("UserPoolDomain")["Domain"]
    assert domain == "darkroom-0305e82c3301"
    assert not {"aws", "amazon", "cognito"} & {word for word in ("aws", "amazon", "cognito") if word in domain}


GRANTED = {
    "s3:GetObject": {
        "arn:aws:s3:::media/settings/*",
        "arn:aws:s3:::media/held/*",
        "arn:aws:s3:::media/masters/*",
        "arn:aws:s3:::audit",
        "arn:aws:s3:::audit/*",
    },
    "s3:ListBucket": {"arn:aws:s3:::media", "arn:aws:s3:::audit", "arn:aws:s3:::audit/*"},
    "dynamodb:GetItem": {TABLE},
    "dynamodb:Query": {f"{TABLE}/index/by-review"},
    "dynamodb:PutItem": {TABLE},
    "sqs:SendMessage": {"arn:aws:sqs:eu-central-1:111122223333:darkroom-review"},
    "secretsmanager:GetSecretValue": {OUTPUTS["SigningKeysArn"]},
}


def test_the_role_reads_and_decides_and_changes_nothing_else() -> None:
    found = {action: set(resources) for action, resources in granted(review(), "Review").items()}
    for action in ("xray:PutTraceSegments", "xray:PutTelemetryRecords", "logs:CreateLogStream", "logs:PutLogEvents"):
        del found[action]
    assert found == GRANTED
    [writes] = [one for one in statements(review(), "Review") if one["Action"] == "dynamodb:PutItem"]
    assert writes["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["review#*"]}}


def test_masters_of_a_source_bucket_are_read_there() -> None:
    uses = read_own_source(review(**OWN_SOURCE), "Review")
    assert all(
        service.split(".")[0] in ("s3", "dynamodb", "secretsmanager")
        for service in uses["Condition"]["StringEquals"]["kms:ViaService"]
    )


def test_only_the_api_of_the_stack_invokes_it() -> None:
    stack = review()
    assert find_route(stack, "/_/review") == "ANY /_/review/{proxy+}"
    [trust] = stack.properties("ReviewRole")["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": "111122223333"}


def test_every_resource_that_can_be_tagged_is() -> None:
    assert list_untagged(review()) == []


def behaviour(**parameters: str) -> dict[str, Any]:
    return find_behaviour("/_/review/*", **parameters)[0]


def test_the_cdn_leads_to_the_api_and_stores_nothing() -> None:
    """The policies are AWS's: CachingDisabled, and AllViewerExceptHostHeader, with cookies and bodies."""
    found = behaviour()
    assert found == behaviour(Dialects="on")
    assert found["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    assert found["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac"
    assert {"GET", "POST"} <= set(listed(found["AllowedMethods"]))
    assert "FunctionAssociations" not in found, "the edge function would take the path for an image"


def test_no_role_of_the_other_stack_may_send_decisions() -> None:
    stack = Stack(InferenceMode="lambda", AccessLogDays="1")
    for name in stack.of_type("AWS::IAM::Role"):
        for statement in statements(stack, name.removesuffix("Role")):
            if "sqs:SendMessage" in listed(statement["Action"]):
                assert "<ReviewQueue.Arn>" not in listed(statement["Resource"]), name
