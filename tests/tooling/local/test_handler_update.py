"""Changed handlers of a running stack, updated without a deployment of the template."""

from __future__ import annotations

import io
import json
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local import handler_update
from local.aws import Cloud
from local.handler_update import FUNCTIONS, list_handlers
from local.paths import ROOT, StackPaths
from tests.roles import create_function

TRANSFORM, PURGE = FUNCTIONS / "transform" / "app.py", FUNCTIONS / "purge" / "app.py"


@pytest.mark.parametrize(
    ("changed", "handlers"),
    [
        ([TRANSFORM], ["transform"]),
        ([TRANSFORM, PURGE, TRANSFORM.with_name("more.py")], ["purge", "transform"]),
        ([], []),
        ([TRANSFORM, ROOT / "template.yaml"], []),
        ([TRANSFORM.with_name("requirements.txt")], []),
        ([FUNCTIONS / "edge" / "build.py"], []),
        ([TRANSFORM, ROOT / "layers/darkroom/darkroom/errors.py"], []),
        ([ROOT / "extensions/any/functions/app.py"], []),
    ],
)
def test_only_changes_of_nothing_but_handlers_need_no_deployment(changed: list[Path], handlers: list[str]) -> None:
    assert list_handlers(changed) == handlers


def write(folder: Path, value: int) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "app.py").write_text(f"import other\n\ndef handler(event, context):\n    return {value} + other.ONE\n")
    (folder / "other.py").write_text("ONE = 1\n")


@pytest.mark.slow
def test_functions_and_their_aliases_run_the_new_code(
    aws: Callable[[str], Any], ministack_url: str, tmp_path: Path
) -> None:
    client, cloud = aws("lambda"), Cloud(ministack_url)
    name = create_function(aws, "def handler(event, context):\n    return 0\n")
    version = client.publish_version(FunctionName=name)["Version"]
    client.create_alias(FunctionName=name, Name="live", FunctionVersion=version)

    def results() -> list[int]:
        answers = [client.invoke(FunctionName=name, **more) for more in ({}, {"Qualifier": "live"})]
        return [json.loads(one["Payload"].read()) for one in answers]

    assert results() == [0, 0]
    for value in (7, 8):
        write(tmp_path / "code", value)
        handler_update.update_function(cloud, name, tmp_path / "code")
        assert results() == [value + 1] * 2


@pytest.mark.slow
def test_an_update_is_repeated_after_a_deployment(
    aws: Callable[[str], Any], ministack_url: str, tmp_path: Path
) -> None:
    client, cloud, paths = aws("lambda"), Cloud(ministack_url), StackPaths(tmp_path)
    old = "def handler(event, context):\n    return 0\n"
    functions = {"TransformFunction": create_function(aws, old), "IngestFunction": create_function(aws, old)}

    def code(logical_id: str) -> str:
        location = client.get_function(FunctionName=functions[logical_id])["Code"]["Location"]
        with urllib.request.urlopen(location) as answer, zipfile.ZipFile(io.BytesIO(answer.read())) as archive:
            return archive.read("app.py").decode()

    handler_update.repeat(paths, cloud, functions)
    assert code("TransformFunction") == old, "nothing was updated before"
    handler_update.update(paths, cloud, functions, ["transform", "similar"])
    assert code("TransformFunction") == TRANSFORM.read_text(encoding="utf-8")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("app.py", old)
    client.update_function_code(FunctionName=functions["TransformFunction"], ZipFile=archive.getvalue())
    handler_update.repeat(paths, cloud, functions)
    assert code("TransformFunction") == TRANSFORM.read_text(encoding="utf-8")
    assert code("IngestFunction") == old
