"""stacks/inference.yaml: the stack's own endpoint, its scaling, updates, role and options."""

from __future__ import annotations

import functools
import re

import botocore.session
import pytest

from darkroom_pipeline.operations.cost_model import SERVERLESS_GB

from .images import CANARY, IMAGE
from .requests import CREATING, wrong_requests
from .schemas import faults, resources_of
from .stack import ROOT, Node, Stack, broken_rules, references, template
from .test_permissions import granted, statements

SOURCE = ROOT / "stacks" / "inference.yaml"
KEY = "arn:aws:kms:eu-central-1:111122223333:key/0f8e1a52-3c1d-4c11-8f0e-3b1f6b0c9d10"
OWN = {"InferenceMode": "endpoint", "EndpointImageUri": IMAGE}
VPC = {"VpcSubnetIds": "subnet-0123abcd,subnet-4567abcd", "VpcSecurityGroupIds": "sg-0123abcd"}
SETS: dict[str, dict[str, str]] = {
    "endpoint": OWN,
    "canary": OWN | {"CanaryImageUri": CANARY},
    "without a GPU, with a key": OWN | {"EndpointInstanceType": "ml.c6i.xlarge", "KmsKeyArn": KEY},
    "serverless": OWN | {"EndpointInstanceType": "serverless", "KmsKeyArn": KEY},
    "VPC, capture and a key": OWN | VPC | {"DataCaptureBucket": "captured", "KmsKeyArn": KEY},
    "vectors": {"SimilarityStore": "s3vectors"},
    "vectors with a key": {"SimilarityStore": "s3vectors", "KmsKeyArn": KEY},
}
MACHINES: dict[str, Node] = template(SOURCE)["Mappings"]["Machines"]


def inference(**parameters: str) -> Stack:
    """The nested stack by its own parameters: quicker than by the root's."""
    return Stack(SOURCE, **({"StackName": "stack", "ImageUri": IMAGE} | parameters))


@functools.cache
def deployed(name: str) -> Stack:
    return Stack(**SETS[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_resources_match_their_schemas(name: str) -> None:
    stack = deployed(name)
    assert "InferenceStack" in stack.resources
    kinds = ["AWS::SageMaker::", "AWS::ApplicationAutoScaling::", "AWS::S3Vectors::", "AWS::IAM::Role"]
    assert faults(resources_of(stack, kinds)) == []


@pytest.mark.sample(3)
@pytest.mark.parametrize("name", SETS)
def test_requests_that_create_them_are_what_the_services_take(name: str) -> None:
    found = resources_of(deployed(name), CREATING)
    assert found
    assert wrong_requests(found) == []


@pytest.mark.parametrize(
    ("kind", "change", "complaint"),
    [
        (
            "AWS::SageMaker::Endpoint",
            {"EndpointName": "a_b"},
            "'EndpointName' failed to satisfy constraint: Member must satisfy regular expression",
        ),
        ("AWS::SageMaker::Endpoint", {"Name": "x"}, "'Name' failed to satisfy constraint: Member is unknown"),
        (
            "AWS::SageMaker::Model",
            {"VpcConfig": {"Subnets": ["subnet-0a"]}},
            "SecurityGroupIds' failed to satisfy constraint: Member must not be null",
        ),
        (
            "AWS::S3Vectors::Index",
            {"DistanceMetric": "manhattan"},
            "Value 'manhattan' at 'distanceMetric' failed to satisfy constraint: Member must satisfy enum",
        ),
        (
            "AWS::ApplicationAutoScaling::ScalableTarget",
            {"ServiceNamespace": "SageMaker"},
            "Value 'SageMaker' at 'ServiceNamespace' failed to satisfy constraint: Member must satisfy enum",
        ),
    ],
)
def test_a_request_that_a_service_refuses_is_found(kind: str, change: Node, complaint: str) -> None:
    found = resources_of(Stack(**OWN, SimilarityStore="s3vectors"), [kind])
    logical_id = next(name for name, resource in found.items() if resource["Type"] == kind)
    resource = found[logical_id]
    changed = {logical_id: resource | {"Properties": resource["Properties"] | change}}
    assert any(complaint in line for line in wrong_requests(changed)), wrong_requests(changed)


def test_each_half_is_created_without_the_other() -> None:
    kinds = {resource["Type"].split("::")[1] for resource in inference().resources.values()}
    assert kinds == {"SageMaker", "ApplicationAutoScaling", "IAM"}
    vectors = Stack(SimilarityStore="s3vectors").nested("InferenceStack")
    assert {resource["Type"].split("::")[1] for resource in vectors.resources.values()} == {"S3Vectors"}
    assert "InferenceStack" not in Stack(**OWN, EndpointName="mine").resources


def test_the_root_passes_parameters_that_exist() -> None:
    passed = template()["Resources"]["InferenceStack"]["Properties"]["Parameters"]
    declared = template(SOURCE)["Parameters"]
    assert passed.keys() == declared.keys() - {"CanaryWeight", "DataCapturePercent"}
    needed = {name for name, one in declared.items() if "Default" not in one}
    assert needed <= passed.keys()


def test_nothing_in_it_depends_on_the_functions() -> None:
    """They depend on its outputs, and CloudFormation refuses a circle."""
    passed = template()["Resources"]["InferenceStack"]["Properties"]
    assert set(references(passed)) & template()["Resources"].keys() == set()


def test_the_endpoint_is_of_the_image_and_captures_nothing() -> None:
    stack = inference()
    config = stack.properties("EndpointConfig")
    [variant] = config["ProductionVariants"]
    assert (variant["VariantName"], variant["InitialVariantWeight"]) == ("main", 1)
    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.g4dn.xlarge", "1")
    assert config.keys() == {"ProductionVariants", "Tags"}
    model = stack.properties("EndpointModel")
    assert model["PrimaryContainer"] == {"Image": IMAGE, "Mode": "SingleModel"}
    assert model["EnableNetworkIsolation"] is True
    assert "VpcConfig" not in model


def test_a_serverless_endpoint_has_neither_instances_nor_what_they_alone_have() -> None:
    """SageMaker developer guide, "Deploy models with Amazon SageMaker Serverless Inference", feature exclusions."""
    stack = inference(InstanceType="serverless", Concurrency="32", KmsKeyArn=KEY, **VPC)
    assert stack.of_type("AWS::ApplicationAutoScaling::ScalableTarget") == {}
    config, model = stack.properties("EndpointConfig"), stack.properties("EndpointModel")
    [variant] = config["ProductionVariants"]
    assert variant.keys() == {"VariantName", "ModelName", "ServerlessConfig", "InitialVariantWeight"}
    assert variant["ServerlessConfig"] == {"MemorySizeInMB": 4096, "MaxConcurrency": "32"}
    assert variant["ServerlessConfig"]["MemorySizeInMB"] == SERVERLESS_GB * 1024
    assert "KmsKeyId" not in config
    assert (model["EnableNetworkIsolation"], "VpcConfig" in model) == (False, False)
    assert not stack.properties("Endpoint").keys() & {"RetainAllVariantProperties", "ExcludeRetainedVariantProperties"}


@pytest.mark.parametrize("more", [{"CanaryImageUri": CANARY}, {"DataCaptureBucket": "captured"}])
def test_what_a_serverless_endpoint_lacks_is_refused(more: dict[str, str]) -> None:
    serverless = OWN | {"EndpointInstanceType": "serverless"}
    assert broken_rules(**serverless) == set()
    [broken] = broken_rules(**serverless, **more)
    assert "serverless" in broken
    assert broken_rules(**OWN, **more) == set()


def test_a_canary_has_a_weight_beside_the_first() -> None:
    stack = inference(CanaryImageUri=CANARY)
    main, canary = stack.properties("EndpointConfig")["ProductionVariants"]
    assert (main["VariantName"], canary["VariantName"], canary["InitialVariantWeight"]) == ("main", "canary", "0.11")
    assert main["ModelName"] != canary["ModelName"]
    model = stack.properties("CanaryModel")
    assert (model["PrimaryContainer"]["Image"], model["EnableNetworkIsolation"]) == (CANARY, True)


def test_an_update_keeps_instances_and_a_canarys_weight() -> None:
    plain, tried = inference().properties("Endpoint"), inference(CanaryImageUri=CANARY).properties("Endpoint")
    assert plain["RetainAllVariantProperties"] is tried["RetainAllVariantProperties"] is True
    assert plain["ExcludeRetainedVariantProperties"] == [{"VariantPropertyType": "DesiredWeight"}]
    assert "ExcludeRetainedVariantProperties" not in tried


@pytest.mark.slow
def test_another_instance_type_replaces_the_endpoint_and_its_scaling() -> None:
    """SageMaker refuses to change the type of a variant that is registered for scaling."""
    names = {kind: str(inference(InstanceType=kind).properties("Endpoint")["EndpointName"]) for kind in MACHINES}
    assert len(set(names.values())) == len(MACHINES)
    for name in names.values():
        assert re.fullmatch(r"[a-z0-9](-*[a-z0-9]){0,62}", name), "ARNs of SageMaker are lower-case, IAM compares case"
    assert inference().properties("EndpointScaling")["ResourceId"] == "endpoint/<Endpoint.EndpointName>/variant/main"
    same = inference(CanaryImageUri=CANARY, Scaling="2,3,90", DataCaptureBucket="captured")
    assert same.properties("Endpoint")["EndpointName"] == names["ml.g4dn.xlarge"]


def test_instance_types_are_known_to_the_mapping_and_to_sagemaker() -> None:
    allowed = template()["Parameters"]["EndpointInstanceType"]["AllowedValues"]
    assert allowed == [*MACHINES]
    service = botocore.session.get_session().get_service_model("sagemaker")
    assert {*allowed} - {"serverless"} <= {*service.shape_for("ProductionVariantInstanceType").enum}
    amis = {*service.shape_for("ProductionVariantInferenceAmiVersion").enum, "none"}
    assert {machine["Ami"] for machine in MACHINES.values()} <= amis


@pytest.mark.parametrize("canary", ["", CANARY])
def test_an_instance_without_a_gpu_has_the_default_ami(canary: str) -> None:
    config = inference(InstanceType="ml.c6i.xlarge", CanaryImageUri=canary).properties("EndpointConfig")
    assert len(config["ProductionVariants"]) == (2 if canary else 1)
    assert not any("InferenceAmiVersion" in variant for variant in config["ProductionVariants"])


@pytest.mark.parametrize(("kind", "key"), [("ml.g5.xlarge", None), ("ml.c7i.xlarge", KEY)])
def test_a_key_is_given_for_volumes_that_take_one(kind: str, key: str | None) -> None:
    """CreateEndpointConfig refuses a KmsKeyId for an instance store, which hardware encrypts."""
    config = inference(InstanceType=kind, KmsKeyArn=KEY).properties("EndpointConfig")
    assert config.get("KmsKeyId") == key


def test_data_is_captured_only_into_a_bucket_that_was_named() -> None:
    stack = inference(DataCaptureBucket="captured")
    capture = stack.properties("EndpointConfig")["DataCaptureConfig"]
    assert (capture["EnableCapture"], capture["InitialSamplingPercentage"]) == (True, "10")
    assert capture["DestinationS3Uri"] == "s3://captured/stack"
    assert "KmsKeyId" not in capture
    assert granted(stack, "Endpoint")["s3:PutObject"] == ["arn:aws:s3:::captured/stack/*"]
    with_key = inference(DataCaptureBucket="captured", KmsKeyArn=KEY)
    assert with_key.properties("EndpointConfig")["DataCaptureConfig"]["KmsKeyId"] == KEY
    assert granted(with_key, "Endpoint")["kms:GenerateDataKey"] == [KEY]
    assert "kms:GenerateDataKey" not in granted(inference(KmsKeyArn=KEY), "Endpoint")


def test_a_vpc_is_for_both_models_and_allows_network_interfaces() -> None:
    stack = inference(CanaryImageUri=CANARY, **VPC)
    for model in ("EndpointModel", "CanaryModel"):
        assert stack.properties(model)["VpcConfig"] == {
            "Subnets": ["subnet-0123abcd", "subnet-4567abcd"],
            "SecurityGroupIds": ["sg-0123abcd"],
        }
    assert granted(stack, "Endpoint")["ec2:CreateNetworkInterfacePermission"] == ["*"]


def test_instances_follow_the_invocations() -> None:
    stack = inference(Scaling="2,7,90")
    target, policy = stack.properties("EndpointScaling"), stack.properties("EndpointScalingPolicy")
    assert (target["MinCapacity"], target["MaxCapacity"]) == ("2", "7")
    assert stack.properties("EndpointConfig")["ProductionVariants"][0]["InitialInstanceCount"] == "2"
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    assert tracking["TargetValue"] == "90"
    assert tracking["PredefinedMetricSpecification"] == {
        "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
    }


@pytest.mark.parametrize("canary", ["", CANARY])
@pytest.mark.parametrize("kind", ["ml.g4dn.xlarge", "ml.c6i.xlarge", "ml.c6i.4xlarge"])
def test_the_target_of_scaling_is_that_of_the_instance_type(kind: str, canary: str) -> None:
    def targets(scaling: str) -> set[str]:
        stack = inference(InstanceType=kind, Scaling=scaling, CanaryImageUri=canary)
        policies = stack.of_type("AWS::ApplicationAutoScaling::ScalingPolicy").values()
        return {str(one["TargetTrackingScalingPolicyConfiguration"]["TargetValue"]) for one in policies}

    assert targets("1,2") == {str(MACHINES[kind]["Images"])}
    assert targets("1,2,90") == {"90"}, "that of an operator"


def test_a_processor_has_a_target_by_its_cores() -> None:
    """One target for all types was three times what a processor can do: it never scaled."""
    by_size = {"xlarge": 1, "2xlarge": 2, "4xlarge": 4}
    for kind, machine in MACHINES.items():
        if machine["Ami"] == "none" and kind != "serverless":
            assert machine["Images"] == MACHINES["ml.c6i.xlarge"]["Images"] * by_size[kind.rpartition(".")[2]]


def test_a_canary_scales_like_the_first_variant_whose_calls_it_may_take_over() -> None:
    stack = inference(Scaling="2,7,90", CanaryImageUri=CANARY)
    variants = stack.properties("EndpointConfig")["ProductionVariants"]
    targets = stack.of_type("AWS::ApplicationAutoScaling::ScalableTarget")
    policies = {
        one["ScalingTargetId"]: one for one in stack.of_type("AWS::ApplicationAutoScaling::ScalingPolicy").values()
    }
    scaled = {str(one["ResourceId"]).rpartition("/")[2]: (name, one) for name, one in targets.items()}
    assert scaled.keys() == {variant["VariantName"] for variant in variants}
    assert {variant["InitialInstanceCount"] for variant in variants} == {"2"}
    limits = {(one["MinCapacity"], one["MaxCapacity"]) for _, one in scaled.values()}
    assert limits == {("2", "7")}
    tracked = [policies[f"<{name}>"]["TargetTrackingScalingPolicyConfiguration"] for name, _ in scaled.values()]
    assert tracked[0] == tracked[1]
    assert len(inference().of_type("AWS::ApplicationAutoScaling::ScalableTarget")) == 1


def test_the_endpoint_may_fetch_its_image_and_write_its_log_and_nothing_else() -> None:
    stack = inference()
    [trust] = stack.properties("EndpointRole")["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": "111122223333"}}
    grants = granted(stack, "Endpoint")
    assert grants.keys() == {
        "ecr:GetAuthorizationToken",
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
        "cloudwatch:PutMetricData",
    }
    everything = {action for action, resources in grants.items() if "*" in resources}
    assert everything == {"ecr:GetAuthorizationToken", "cloudwatch:PutMetricData"}
    [published] = [s for s in statements(stack, "Endpoint") if s["Action"] == "cloudwatch:PutMetricData"]
    assert published["Condition"] == {"StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/Endpoints"}}
    assert grants["ecr:BatchGetImage"] == ["arn:aws:ecr:eu-central-1:111122223333:repository/team/darkroom"]


def test_the_registry_has_a_name_of_lower_case_that_outlives_the_endpoint() -> None:
    """No resource: a group that was retained would fail the next creation. The first registration creates it."""
    stack = Stack(**OWN, EndpointName="mine")
    group = stack.outputs["ModelGroupName"]
    assert re.fullmatch(r"darkroom-[0-9a-f-]{36}", group)
    assert stack.variables("MonitorFunction")["MODEL_GROUP"] == group
    assert {
        resource for s in statements(stack, "Monitor") if s["Sid"] == "JudgeVersions" for resource in s["Resource"]
    } == {
        f"arn:aws:sagemaker:eu-central-1:111122223333:model-package-group/{group}",
        f"arn:aws:sagemaker:eu-central-1:111122223333:model-package/{group}/*",
    }
    assert not template(SOURCE)["Resources"].keys() & {"ModelGroup"}
