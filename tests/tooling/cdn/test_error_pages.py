"""Custom error pages of a distribution that CloudFormation created in MiniStack."""

from __future__ import annotations

import json

from cloudfront_local.model import ErrorPage
from cloudfront_local.read_config import read_distribution
from local.aws import Cloud

BEHAVIOUR = {
    "TargetOriginId": "o",
    "ViewerProtocolPolicy": "redirect-to-https",
    "CachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
}
CONFIG = {
    "Enabled": True,
    "Comment": "",
    "Origins": [
        {"Id": "o", "DomainName": "example.com", "CustomOriginConfig": {"OriginProtocolPolicy": "https-only"}},
    ],
    "DefaultCacheBehavior": BEHAVIOUR,
    "CacheBehaviors": [{"PathPattern": "/_/errors/*", **BEHAVIOUR}],
    "CustomErrorResponses": [
        {"ErrorCode": 502, "ErrorCachingMinTTL": 0, "ResponsePagePath": "/_/errors/502.json", "ResponseCode": 502},
        {"ErrorCode": 500, "ErrorCachingMinTTL": 0},
    ],
}
TEMPLATE = {
    "Resources": {"Cdn": {"Type": "AWS::CloudFront::Distribution", "Properties": {"DistributionConfig": CONFIG}}},
    "Outputs": {"Id": {"Value": {"Ref": "Cdn"}}},
}


def test_error_pages_of_a_deployed_distribution_are_read(ministack_url: str) -> None:
    cloud = Cloud(ministack_url)
    cloud.cloudformation.create_stack(StackName="error-pages", TemplateBody=json.dumps(TEMPLATE))
    cloud.cloudformation.get_waiter("stack_create_complete").wait(StackName="error-pages", WaiterConfig={"Delay": 1})
    found = read_distribution(cloud.cloudfront, cloud.read_outputs("error-pages")["Id"])
    assert found.error_pages == {502: ErrorPage("/_/errors/502.json", 502)}
    assert found.error_ttl_s == {500: 0, 502: 0}
    cloud.cloudformation.delete_stack(StackName="error-pages")
