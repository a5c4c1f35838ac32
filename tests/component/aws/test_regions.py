"""MiniStack's regions, as far as several stacks depend on them."""

from __future__ import annotations

import json

import boto3

BODY = """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Action: "sts:AssumeRole", Principal: {Service: lambda.amazonaws.com}}]
      Policies:
        - PolicyName: of-region
          PolicyDocument:
            Version: "2012-10-17"
            Statement: [{Effect: Allow, Action: "sqs:*", Resource: !Sub "arn:aws:sqs:${AWS::Region}:*:*"}]
"""


def test_roles_of_a_stack_in_another_region_are_others(aws_environment: dict[str, str]) -> None:
    """Roles are the account's, not a region's: only their generated names keep two stacks of one name apart."""
    session = boto3.Session("test", "test")
    url, names = aws_environment["AWS_ENDPOINT_URL"], {}
    for region in ("us-east-1", "eu-central-1"):
        client = session.client("cloudformation", region_name=region, endpoint_url=url)
        client.create_stack(StackName="twice", TemplateBody=BODY, Capabilities=["CAPABILITY_IAM"])
        client.get_waiter("stack_create_complete").wait(StackName="twice", WaiterConfig={"Delay": 1})
        found = client.describe_stack_resource(StackName="twice", LogicalResourceId="Role")
        names[region] = found["StackResourceDetail"]["PhysicalResourceId"]
    assert len(set(names.values())) == 2
    iam = session.client("iam", region_name="us-east-1", endpoint_url=url)
    for region, name in names.items():
        assert name.startswith("twice-Role-")
        document = iam.get_role_policy(RoleName=name, PolicyName="of-region")["PolicyDocument"]
        assert f":{region}:" in json.dumps(document)
