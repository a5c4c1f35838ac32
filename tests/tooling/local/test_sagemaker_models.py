"""The local model registry and the endpoint's capacities, called by boto3."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.sagemaker.document_store import DocumentStore
from local.sagemaker.endpoint_description import EndpointDescription
from local.sagemaker.runtime import Runtime
from local.sagemaker.service_errors import RequestError
from local.sagemaker.variants import Endpoints, Variant
from tests.sagemaker_apis import HeldUpdates, client, sagemaker

GROUP = "darkroom"
IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/darkroom:7"
MAIN, CANARY = Variant("main", 9.0, "http://main", "image:1", 2), Variant("canary", 1.0, "http://canary", "image:2")


@dataclass(frozen=True)
class Registry:
    """A running API, and a boto3 client."""

    runtime: Runtime
    client: Any

    def create(self, **more: Any) -> str:
        containers = {"Containers": [{"Image": IMAGE}], "SupportedContentTypes": ["image/jpeg"]}
        made = self.client.create_model_package(
            ModelPackageGroupName=GROUP,
            InferenceSpecification={**containers, "SupportedResponseMIMETypes": ["application/json"]},
            **more,
        )
        return str(made["ModelPackageArn"])

    def describe(self, arn: str) -> dict[str, Any]:
        return dict(self.client.describe_model_package(ModelPackageName=arn))

    def listed(self, **more: Any) -> list[int]:
        """Return the versions of each page."""
        pages = self.client.get_paginator("list_model_packages").paginate(ModelPackageGroupName=GROUP, **more)
        return [one["ModelPackageVersion"] for page in pages for one in page["ModelPackageSummaryList"]]

    def endpoint(self) -> dict[str, Any]:
        return dict(self.client.describe_endpoint(EndpointName="darkroom"))

    def weigh(self, *variants: dict[str, Any]) -> None:
        self.client.update_endpoint_weights_and_capacities(
            EndpointName="darkroom", DesiredWeightsAndCapacities=list(variants)
        )

    def settled(self) -> dict[str, dict[str, Any]]:
        """Return the variants by name once the endpoint is in service."""
        found = self.endpoint()
        assert found["EndpointStatus"] == "InService"
        return {one["VariantName"]: one for one in found["ProductionVariants"]}


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with sagemaker(tmp_path) as runtime:
        asked = client(runtime)
        asked.create_model_package_group(ModelPackageGroupName=GROUP, ModelPackageGroupDescription="ours")
        runtime.capacities.declare("darkroom", [MAIN, CANARY])
        yield Registry(runtime, asked)


def refused(call: Callable[[], object]) -> str:
    """Return the message with which the API rejects ``call``: AWS has one error code for invalid requests."""
    with pytest.raises(ClientError) as caught:
        call()
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return str(caught.value.response["Error"]["Message"])


def test_a_group_is_created_once(registry: Registry) -> None:
    found = registry.client.describe_model_package_group(ModelPackageGroupName=GROUP)
    assert found["ModelPackageGroupArn"].endswith(":model-package-group/darkroom")
    assert (found["ModelPackageGroupStatus"], found["ModelPackageGroupDescription"]) == ("Completed", "ours")
    assert isinstance(found["CreationTime"], datetime)
    make = registry.client.create_model_package_group
    assert "already exists" in refused(lambda: make(ModelPackageGroupName=GROUP))
    assert "does not exist" in refused(
        lambda: registry.client.describe_model_package_group(ModelPackageGroupName="other")
    )


def test_versions_are_numbered_and_wait_for_approval(registry: Registry) -> None:
    first, second = registry.create(CustomerMetadataProperties={"git": "abc"}), registry.create()
    assert [arn.rpartition(":")[2] for arn in (first, second)] == [
        "model-package/darkroom/1",
        "model-package/darkroom/2",
    ]
    found = registry.describe(first)
    assert (found["ModelApprovalStatus"], found["ModelPackageStatus"]) == ("PendingManualApproval", "Completed")
    assert found["CustomerMetadataProperties"] == {"git": "abc"}
    assert found["InferenceSpecification"]["Containers"][0]["Image"] == IMAGE
    assert (found["ModelPackageGroupName"], found["ModelPackageVersion"]) == (GROUP, 1)


def test_approval_and_metadata_change(registry: Registry) -> None:
    arn = registry.create(CustomerMetadataProperties={"git": "abc", "parent": "1"})
    registry.client.update_model_package(
        ModelPackageArn=arn,
        ModelApprovalStatus="Approved",
        ApprovalDescription="as good as the last",
        CustomerMetadataProperties={"git": "def"},
        CustomerMetadataPropertiesToRemove=["parent"],
    )
    found = registry.describe(arn)
    assert (found["ModelApprovalStatus"], found["ApprovalDescription"]) == ("Approved", "as good as the last")
    assert found["CustomerMetadataProperties"] == {"git": "def"}
    registry.client.update_model_package(ModelPackageArn=arn, ApprovalDescription="better")
    assert registry.describe(arn)["ModelApprovalStatus"] == "Approved"


def test_lists_have_pages_an_order_and_a_filter(registry: Registry) -> None:
    arns = [registry.create() for _ in range(12)]
    registry.client.update_model_package(ModelPackageArn=arns[10], ModelApprovalStatus="Rejected")
    assert registry.listed() == list(range(1, 13))
    assert registry.listed(SortOrder="Descending") == list(range(12, 0, -1))
    assert registry.listed(ModelApprovalStatus="Rejected") == [11]
    page = registry.client.list_model_packages(ModelPackageGroupName=GROUP)
    assert len(page["ModelPackageSummaryList"]) == 10
    assert "NextToken" in page
    assert (
        "CustomerMetadataProperties" not in page["ModelPackageSummaryList"][0]
    )  # as on AWS, only describe returns them


@pytest.mark.parametrize(
    ("properties", "allowed"),
    [
        ({"n": "v" * 256}, True),
        ({"n": "v" * 257}, False),
        ({"n" * 128: "v"}, True),
        ({"n" * 129: "v"}, False),
        ({str(n): "v" for n in range(50)}, True),
        ({str(n): "v" for n in range(51)}, False),
    ],
)
def test_metadata_has_the_registrys_limits(registry: Registry, properties: dict[str, str], allowed: bool) -> None:
    if allowed:
        assert registry.describe(registry.create(CustomerMetadataProperties=properties))
    else:
        assert "CustomerMetadataProperties" in refused(lambda: registry.create(CustomerMetadataProperties=properties))
        assert registry.listed() == []


@pytest.mark.parametrize(
    "arn", ["darkroom", "arn:aws:sagemaker:us-east-1:000000000000:model-package/darkroom/9", "../groups/darkroom"]
)
def test_a_missing_version(registry: Registry, arn: str) -> None:
    assert "does not exist" in refused(lambda: registry.describe(arn))


def test_an_invalid_name_creates_no_file(registry: Registry, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    make = registry.client.create_model_package_group
    assert "ModelPackageGroupName" in refused(lambda: make(ModelPackageGroupName="a..b"))
    assert sorted(tmp_path.rglob("*")) == before


def test_an_unknown_action(registry: Registry) -> None:
    with pytest.raises(ClientError, match="UnknownOperationException"):
        registry.client.list_endpoints()


def test_the_registry_outlives_its_server(tmp_path: Path) -> None:
    with sagemaker(tmp_path) as runtime:
        client(runtime).create_model_package_group(ModelPackageGroupName=GROUP)
        arn = Registry(runtime, client(runtime)).create()
    with sagemaker(tmp_path) as runtime:
        assert Registry(runtime, client(runtime)).describe(arn)["ModelPackageVersion"] == 1


def test_an_endpoint_is_described(registry: Registry) -> None:
    found = registry.endpoint()
    assert (found["EndpointName"], found["EndpointStatus"]) == ("darkroom", "InService")
    assert isinstance(found["CreationTime"], datetime)
    main, canary = found["ProductionVariants"]
    assert (main["VariantName"], main["CurrentWeight"], main["CurrentInstanceCount"]) == ("main", 9.0, 2)
    assert canary["DeployedImages"][0]["SpecifiedImage"] == "image:2"
    assert "Could not find endpoint" in refused(lambda: registry.client.describe_endpoint(EndpointName="other"))


def test_weights_and_instances_change_asynchronously(registry: Registry) -> None:
    held = HeldUpdates(registry.runtime)
    registry.weigh({"VariantName": "main", "DesiredWeight": 0.0}, {"VariantName": "canary", "DesiredInstanceCount": 3})
    found = registry.endpoint()
    assert found["EndpointStatus"] == "Updating"
    main = found["ProductionVariants"][0]
    assert (main["CurrentWeight"], main["DesiredWeight"]) == (9.0, 0.0)
    assert "Cannot update in-progress" in refused(lambda: registry.weigh({"VariantName": "main", "DesiredWeight": 1.0}))
    held.finish()
    settled = registry.settled()
    assert settled["main"]["CurrentWeight"] == 0.0
    assert (settled["canary"]["CurrentWeight"], settled["canary"]["CurrentInstanceCount"]) == (1.0, 3)
    served = {one.name: one.weight for one in registry.runtime.endpoints.variants("darkroom")}
    assert served == {"main": 0.0, "canary": 1.0}  # calls follow the weights


@pytest.mark.parametrize(
    "wrong",
    [
        [{"VariantName": "other", "DesiredWeight": 1.0}],
        [{"VariantName": "main", "DesiredWeight": 0.0}, {"VariantName": "canary", "DesiredWeight": 0.0}],
    ],
)
def test_invalid_weights_change_nothing(registry: Registry, wrong: list[dict[str, Any]]) -> None:
    before = registry.endpoint()["ProductionVariants"]
    refused(lambda: registry.weigh(*wrong))
    assert (registry.endpoint()["EndpointStatus"], registry.endpoint()["ProductionVariants"]) == ("InService", before)


class Stepped:
    """Capacities whose updates finish when the test allows it."""

    def __init__(self, folder: Path) -> None:
        self.endpoints = Endpoints()
        self.waiting: list[Callable[[], None]] = []
        self.capacities = EndpointDescription(
            self.endpoints, DocumentStore(folder), lambda _, then: self.waiting.append(then)
        )

    def weigh(self, **weights: float) -> None:
        wanted = [{"VariantName": name, "DesiredWeight": weight} for name, weight in weights.items()]
        self.capacities.update({"EndpointName": "darkroom", "DesiredWeightsAndCapacities": wanted})
        self.waiting.pop()()

    @property
    def weights(self) -> dict[str, float]:
        return {one.name: one.weight for one in self.endpoints.variants("darkroom")}


def test_weights_outlive_the_stack_until_the_template_changes(tmp_path: Path) -> None:
    stack = Stepped(tmp_path)
    stack.capacities.declare("darkroom", [MAIN, CANARY])
    stack.weigh(main=1, canary=0)
    again = Stepped(tmp_path)
    again.capacities.declare("darkroom", [MAIN, CANARY])
    assert again.weights == {"main": 1.0, "canary": 0.0}
    again.capacities.declare("darkroom", [MAIN, Variant("canary", 2.0, "")])
    assert again.weights == {"main": 9.0, "canary": 2.0}


def test_weights_of_a_removed_variant_are_reset(tmp_path: Path) -> None:
    stack = Stepped(tmp_path)
    stack.capacities.declare("darkroom", [MAIN])
    stack.endpoints.put("darkroom", [MAIN, CANARY])
    stack.weigh(main=0, canary=1)
    again = Stepped(tmp_path)
    again.capacities.declare("darkroom", [MAIN])
    assert again.weights == {"main": 9.0}


def test_a_variant_removed_during_an_update_stays_removed(tmp_path: Path) -> None:
    stack = Stepped(tmp_path)
    stack.capacities.declare("darkroom", [MAIN, CANARY])
    wanted = [{"VariantName": "main", "DesiredWeight": 5.0}]
    stack.capacities.update({"EndpointName": "darkroom", "DesiredWeightsAndCapacities": wanted})
    stack.endpoints.put("darkroom", [MAIN])
    stack.waiting.pop()()
    assert stack.weights == {"main": 5.0}


@pytest.mark.parametrize("wanted", [{"DesiredWeight": -1}, {"DesiredInstanceCount": 0}])
def test_numbers_out_of_range_are_rejected(tmp_path: Path, wanted: dict[str, float]) -> None:
    stack = Stepped(tmp_path)
    stack.capacities.declare("darkroom", [MAIN])
    asked = {"EndpointName": "darkroom", "DesiredWeightsAndCapacities": [{"VariantName": "main", **wanted}]}
    with pytest.raises(RequestError, match="must be at least 0"):
        stack.capacities.update(asked)
