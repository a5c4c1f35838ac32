"""Settings on the running stack: a preset and an access mode without a deployment, by the command."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image

from cli.dialect_signing import sign_in_dialect
from cli.main import main
from cli.settings.stacks import open_local_target
from darkroom.plan.presets import load_default_presets
from darkroom.services.serve.answers import MAX_BODY_BYTES
from darkroom_dialects.serving.signing_keys import parse_keys
from local.dialect_keys import DOCUMENT
from tests.images.photographs import jpeg_photo, png_noise
from tests.response_bucket import receive_responses
from tests.waiting import wait_until

from .conftest import Stack
from .viewer import Viewer


@pytest.fixture
def state(stack: Stack) -> Iterator[Path]:
    """The stack's folder. Its settings are as before, when the test has ended."""
    documents = open_local_target(json.loads((stack.state / "stack.json").read_text())).documents
    before = documents.current()
    yield stack.state
    assert main(["settings", "rollback", str(before.number), "--yes", "--state-dir", str(stack.state)]) == 0


def test_a_preset_needs_no_deployment(stack: Stack, state: Path, viewer: Viewer, tmp_path: Path) -> None:
    """The edge expands it and the function renders it without a signature, though its width is not of the ladder."""
    name = f"p{uuid4().hex[:8]}"
    path = viewer.upload(jpeg_photo(), "preset.jpg")
    assert viewer.get(f"{path}?preset={name}").status == 400
    file = tmp_path / "settings.json"
    current = open_local_target(json.loads((state / "stack.json").read_text())).documents.current()
    presets = {name: {"w": 333, "h": 77, "fit": "cover", "f": "webp"}}
    file.write_text(json.dumps({**current.table, "presets": presets}))
    assert main(["settings", "apply", str(file), "--by", "test", "--state-dir", str(state)]) == 0
    wait_until(lambda: viewer.get(f"{path}?preset={name}&w=333").status == 200, "edge and function know the preset")
    assert viewer.get(f"{path}?preset={name}").headers["content-type"] == "image/webp"
    for default in load_default_presets().options:
        assert viewer.get(f"{path}?preset={default}").status == 200
    assert main(["settings", "check", "--state-dir", str(state)]) == 0


def test_what_is_not_stored_comes_from_the_function_at_once(
    stack: Stack, state: Path, viewer: Viewer, tmp_path: Path
) -> None:
    """The store is asked first for presets, and last for what is too large for a response of the function."""
    path, noise = viewer.upload(jpeg_photo(), "unstored.jpg"), viewer.upload(png_noise(1920, 1500), "noise.png")
    file = tmp_path / "settings.json"
    current = open_local_target(json.loads((state / "stack.json").read_text())).documents.current()
    file.write_text(json.dumps({**current.table, "store_derivatives": False}))
    assert main(["settings", "apply", str(file), "--by", "test", "--state-dir", str(state)]) == 0
    widths = iter(range(900, 2000))

    def list_origins(url: str) -> list[str]:
        known = stack.journal()
        assert viewer.get(url).status == 200
        after = known[-1]["number"] if known else 0
        return [call["origin"] for call in stack.journal(after) if path in call["path"] or noise in call["path"]]

    wait_until(lambda: list_origins(viewer.signed(f"{path}?w={next(widths)}")) == ["transform"], "the edge knows it")
    assert list_origins(f"{path}?preset=cover") == ["derivatives", "transform"]
    assert list_origins(f"{noise}?w=1920&f=png") == ["transform", "derivatives"]
    found = viewer.get(f"{noise}?w=1920&f=png")
    assert (found.cache, len(found.body) > MAX_BODY_BYTES) == ("Hit", True)


@pytest.mark.smoke
def test_a_deployment_publishes_the_entries(stack: Stack, state: Path, tmp_path: Path) -> None:
    """By the resource EdgeEntries, whose function repairs entries with the permissions of its role."""
    info = json.loads((state / "stack.json").read_text())
    store = stack.cloud.edge_store(info["outputs"]["FindingsStoreArn"])
    [entries] = stack.cloud.cloudformation.describe_stack_resources(
        StackName=info["stack_name"], LogicalResourceId="EdgeEntries"
    )["StackResources"]
    assert (entries["ResourceStatus"], entries["PhysicalResourceId"]) in [
        (status, store.arn) for status in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
    ]
    current, file = open_local_target(info).documents.current(), tmp_path / "settings.json"
    experiments = {"published": {"variants": {"cover": 1, "w320": 1}}}
    file.write_text(json.dumps({**current.table, "experiments": experiments}))
    assert main(["settings", "apply", str(file), "--by", "test", "--state-dir", str(state)]) == 0
    before = store.read()
    assert "exp-published" in before
    store.update({"settings": "open"}, ["exp-published", "preset-cover"])
    with receive_responses() as bucket:
        answer = stack.cloud.functions.invoke(
            FunctionName=stack.functions["PublishFunction"]["name"], Payload=json.dumps(bucket.request("update"))
        )
    assert json.loads(answer["Payload"].read()) == {"reason": ""}
    assert [one["Status"] for one in bucket.documents] == ["SUCCESS"]
    assert store.read() == before


def test_a_source_and_a_preset_of_imgproxy_need_no_deployment(
    stack: Stack, state: Path, viewer: Viewer, tmp_path: Path
) -> None:
    """URLs of another service as its pages have them: a source by its address, a preset of the service by its name."""
    path = viewer.upload(jpeg_photo(), "dialect.jpg")
    url = sign_in_dialect(
        "imgproxy", f"/preset:banner/plain/https://photos.example.com/old{path}@png", parse_keys(DOCUMENT)
    )
    assert viewer.get(url).status == 400
    current = open_local_target(json.loads((state / "stack.json").read_text())).documents.current()
    tables = {
        "sources": {"//photos.example.com/old/": ""},
        "imgproxy": {"presets": {"banner": "resize:fill:300:50"}},
    }
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({**current.table, "dialects": tables}))
    assert main(["settings", "apply", str(file), "--by", "test", "--state-dir", str(state)]) == 0
    wait_until(lambda: viewer.get(url).status == 200, "the function knows source and preset")
    assert Image.open(io.BytesIO(viewer.get(url).body)).size == (300, 50)
    tables["imgproxy"]["presets"]["banner"] = "resize:no-such-type:300:50"
    file.write_text(json.dumps({**current.table, "dialects": tables}))
    assert main(["settings", "apply", str(file), "--by", "test", "--state-dir", str(state)]) == 2
    assert viewer.get(url).status == 200
