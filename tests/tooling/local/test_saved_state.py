"""A stack after its processes were killed: what MiniStack saved, what is restored, and what is refused."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import socket
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.record import CLAIMED, READY, REMOVED, Record, to_item
from local import tool_venvs
from local.aws import Cloud
from local.background_start import up_detached
from local.errors import StartError
from local.ministack import MiniStack
from local.paths import Ports, StackPaths
from local.progress import Progress
from local.restore import restore_uploads
from local.saved_state import SavedState
from tests.ports import free_port
from tests.waiting import wait_until

BUCKET, TABLE = "restored-uploads", "restored-index"


@pytest.fixture
def ports() -> Ports:
    return Ports(cdn=free_port(), aws=free_port())


@pytest.fixture
def paths(tmp_path: Path) -> StackPaths:
    asyncio.run(tool_venvs.ensure(Progress()))
    return StackPaths(tmp_path)


def has_queue(cloud: Cloud, name: str) -> bool:
    try:
        return bool(cloud.queues.get_queue_url(QueueName=name)["QueueUrl"])
    except ClientError:
        return False


@pytest.mark.slow
def test_a_killed_process_loses_what_was_not_saved_and_says_so(paths: StackPaths, ports: Ports) -> None:
    ministack = MiniStack(paths, ports)
    cloud = Cloud(ports.aws_url)
    asyncio.run(ministack.start())
    assert ministack.lost_since_s is None
    cloud.queues.create_queue(QueueName="saved")
    asyncio.run(ministack.save())
    cloud.queues.create_queue(QueueName="lost")
    saved_s = SavedState(paths.ministack / "state").saved_ns / 1e9
    os.killpg(ministack.pid, signal.SIGKILL)
    wait_until(lambda: not ministack.is_running, "the process has ended")

    again = MiniStack(paths, ports)
    asyncio.run(again.start())
    assert again.lost_since_s == saved_s
    assert (has_queue(cloud, "saved"), has_queue(cloud, "lost")) == (True, False)
    asyncio.run(again.stop())
    assert SavedState(paths.ministack / "state").lost_since_s is None
    with pytest.raises(StartError, match=rf"was deployed with --aws-port {ports.aws}: .* --state-dir"):
        asyncio.run(MiniStack(paths, Ports(aws=free_port())).start())


@pytest.mark.slow
def test_the_state_is_saved_while_it_runs(paths: StackPaths, ports: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.ministack.SAVE_EVERY_S", 0.1)
    ministack = MiniStack(paths, ports)
    saved = SavedState(paths.ministack / "state")

    async def run() -> None:
        await ministack.start()
        saving = asyncio.create_task(ministack.save_regularly())
        seen = set[int]()
        while len(seen) < 3:
            seen.add(saved.saved_ns)
            await asyncio.sleep(0.05)
        saving.cancel()
        await ministack.stop(grace_s=0)

    asyncio.run(run())


@pytest.mark.slow
def test_layers_are_in_files_and_not_in_the_saved_state(paths: StackPaths, ports: Ports) -> None:
    cloud = Cloud(ports.aws_url)
    archives = {name: archive(name.encode()) for name in ("direct", "uploaded", "deployed")}
    folder = paths.ministack / "state" / "layers"

    def contents() -> dict[str, bytes]:
        found = {name: cloud.functions.get_layer_version(LayerName=name, VersionNumber=1) for name in archives}
        return {name: urllib.request.urlopen(one["Content"]["Location"]).read() for name, one in found.items()}

    async def run() -> None:
        ministack = MiniStack(paths, ports)
        await ministack.start()
        cloud.s3.create_bucket(Bucket=BUCKET)
        for name in ("uploaded", "deployed"):
            cloud.s3.put_object(Bucket=BUCKET, Key=f"{name}.zip", Body=archives[name])
        cloud.functions.publish_layer_version(LayerName="direct", Content={"ZipFile": archives["direct"]})
        content = {name: {"S3Bucket": BUCKET, "S3Key": f"{name}.zip"} for name in ("uploaded", "deployed")}
        cloud.functions.publish_layer_version(LayerName="uploaded", Content=content["uploaded"])
        layer = {"LayerName": "deployed", "Content": content["deployed"]}
        template = {"Resources": {"Layer": {"Type": "AWS::Lambda::LayerVersion", "Properties": layer}}}
        cloud.cloudformation.create_stack(StackName="layers", TemplateBody=json.dumps(template))
        cloud.cloudformation.get_waiter("stack_create_complete").wait(StackName="layers", WaiterConfig={"Delay": 1})
        assert sorted(file.stat().st_nlink for file in folder.iterdir()) == [1, 2, 2], "linked to the objects"
        for name in content:
            cloud.s3.put_object(Bucket=BUCKET, Key=f"{name}.zip", Body=b"replaced")
        assert contents() == archives
        (folder / "unused.zip").write_bytes(b"")
        await ministack.stop()

    asyncio.run(run())
    assert sorted(file.read_bytes() for file in folder.iterdir()) == sorted(archives.values())
    saved = (paths.ministack / "state" / "lambda.json").stat().st_size
    assert saved < min(map(len, archives.values()))

    async def again() -> None:
        ministack = MiniStack(paths, ports)
        await ministack.start()
        assert contents() == archives
        await ministack.stop()

    asyncio.run(again())


def archive(name: bytes) -> bytes:
    """A ZIP archive of 100 KB."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("python/data", name + os.urandom(100_000))
    return buffer.getvalue()


def test_a_damaged_state_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "ministack" / "state"
    folder.mkdir(parents=True)
    (folder / "sqs.json").write_text('{"payload": {')
    with pytest.raises(StartError, match=r"damaged: .*sqs\.json"):
        SavedState(folder).check(4566)


@pytest.mark.parametrize(
    ("queues", "port", "fits"),
    [
        ({}, 4566, True),
        ({"queues": {"http://localhost:4566/000000000000/darkroom-ingest": {}}}, 4566, True),
        ({"queues": {"http://localhost:4566/000000000000/darkroom-ingest": {}}}, 4567, False),
        ({"queues": {}, "messages": ["http://127.0.0.1:8088/photo.jpg"]}, 4566, True),
    ],
)
def test_a_state_fits_the_port_of_its_queues(tmp_path: Path, queues: object, port: int, fits: bool) -> None:
    (tmp_path / "sqs.json").write_text(json.dumps({"__ministack_format__": 2, "payload": queues}))
    if fits:
        SavedState(tmp_path).check(port)
    else:
        with pytest.raises(StartError, match="--aws-port 4566"):
            SavedState(tmp_path).check(port)


@pytest.fixture
def cloud(ministack_url: str, aws_environment: dict[str, str], aws: Callable[[str], Any]) -> Iterator[Cloud]:
    """A bucket with versions and an index, whose records are older than the bucket."""
    found = Cloud(ministack_url)
    found.s3.create_bucket(Bucket=BUCKET)
    found.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    attribute: Any = {"AttributeName": "pk", "AttributeType": "S"}
    aws("dynamodb").create_table(
        TableName=TABLE,
        AttributeDefinitions=[attribute],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    yield found
    aws("dynamodb").delete_table(TableName=TABLE)


def put(cloud: Cloud, key: str) -> str:
    return cloud.s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode(), Metadata={"priority": "urgent"})["VersionId"]


def test_uploads_and_deletions_that_the_index_does_not_have_are_repeated(cloud: Cloud) -> None:
    index = Index(cloud.dynamodb, TABLE)
    ready = {key: put(cloud, key) for key in ("known.jpg", "overwritten.jpg", "deleted.jpg", "gone.jpg", "working.jpg")}
    states = {"working.jpg": CLAIMED, "gone.jpg": REMOVED}
    for key, version in ready.items():
        record = Record(key, states.get(key, READY), "01", "token", version_id=version, sha256="0" * 64)
        cloud.dynamodb.put_item(TableName=TABLE, Item=to_item(record))
    for key in ("overwritten.jpg", "new.jpg", "samples/events/created.jpg", "folder/"):
        put(cloud, key)
    for key in ("deleted.jpg", "gone.jpg", "never-known.jpg"):
        cloud.s3.delete_object(Bucket=BUCKET, Key=key)
    before = versions(cloud)
    assert restore_uploads(cloud, BUCKET, index) == (3, 1)
    after = versions(cloud)
    assert {key for key in after if after[key] != before[key]} == {
        "overwritten.jpg",
        "new.jpg",
        "working.jpg",
        "deleted.jpg",
    }
    found = cloud.s3.get_object(Bucket=BUCKET, Key="new.jpg")
    assert (found["Body"].read(), found["Metadata"]) == (b"new.jpg", {"priority": "urgent"})


def versions(cloud: Cloud) -> dict[str, int]:
    """The number of versions and delete markers by key."""
    listed = cloud.s3.list_object_versions(Bucket=BUCKET)
    keys = [one["Key"] for one in (*listed.get("Versions", []), *listed.get("DeleteMarkers", []))]
    return {key: keys.count(key) for key in keys}


@pytest.mark.slow
def test_a_detached_start_does_not_take_the_file_of_a_killed_stack_for_its_own(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text(json.dumps({"pids": {"stack": 1}}))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        options = ("--state-dir", str(tmp_path), "--port", str(taken.getsockname()[1]))
        with pytest.raises(StartError, match="did not start"):
            up_detached(StackPaths(tmp_path), options)
    assert not (tmp_path / "stack.json").exists()
