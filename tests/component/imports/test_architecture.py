"""Imports of the transform function in a fresh interpreter, and by names in strings.

`make lint` checks the layers of packages, for all imports that are statements.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.code_size import OPTIONAL, find_string_imports

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "layers" / "darkroom"
LAYERS = {"darkroom_dialects": "dialects", "darkroom_pipeline": "pipeline", "darkroom_analysis": "analysis"}
"""Distributions beside the core, and their layers."""

AWS_LAYER = {"boto3", "botocore", "s3transfer", "aws_xray_sdk", "aws_lambda_powertools", "anycrc", "xxhash"}
"""Packages of layers/pipeline, which the transform function does not have."""


def modules_of(package: str) -> list[str]:
    home = ROOT / "layers" / LAYERS.get(package.partition(".")[0], "darkroom")
    files = (home / package.replace(".", "/")).rglob("*.py")
    return [".".join(file.relative_to(home).with_suffix("").parts).removesuffix(".__init__") for file in files]


def imported_by(statement: str, **environment: str) -> set[str]:
    """The modules loaded in a fresh interpreter after ``statement``, beyond those it starts with."""
    report = "print(json.dumps(sorted(set(sys.modules) - before)))"
    script = f"import json, sys\nbefore = set(sys.modules)\n{statement}\n{report}"
    layers = [str(ROOT / "layers" / name) for name in ("darkroom", *LAYERS.values())]
    path = ":".join([*layers, str(ROOT / "functions" / "transform")])
    result = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": path, "PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return set(json.loads(result.stdout.splitlines()[-1]))


APP = {
    "MEDIA_BUCKET": "media",
    "SIGNING_KEYS_ARN": "arn:aws:secretsmanager:us-east-1:000000000000:secret:keys",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
}


def test_the_transform_function_does_without_the_layer_of_the_others() -> None:
    """Late imports included: all modules of the package that it ever imports, in an interpreter without that layer."""
    hidden = f"sys.modules.update(dict.fromkeys({sorted(AWS_LAYER)!r}))"
    late = [
        *(module for room in ("darkroom.plan", "darkroom.imaging", "darkroom_dialects") for module in modules_of(room)),
        "darkroom.services.serve.transform",
    ]
    loaded = imported_by(
        "\n".join(["import sys", hidden, "import app", *(f"import {module}" for module in late)]), **APP
    )
    assert [name for name in loaded if name.startswith(("darkroom_pipeline", "darkroom_analysis"))] == []
    adapters = {name for name in loaded if name.startswith("darkroom.aws.")}
    assert {name for name in adapters if not name.startswith("darkroom.aws.telemetry.")} == {
        f"darkroom.aws.{name}" for name in ("credentials", "s3_fast", "secrets", "switches", "telemetry")
    }


@pytest.mark.slow
def test_the_renderer_is_loaded_before_the_first_request_where_no_request_waits_for_it() -> None:
    renderer = {"pyvips", "darkroom.imaging.render.pipeline"}
    assert imported_by("import app", **APP) & renderer == set()
    for kind in ("snap-start", "provisioned-concurrency"):
        assert imported_by("import app", AWS_LAMBDA_INITIALIZATION_TYPE=kind, **APP) >= renderer


def test_adapters_know_nothing_of_each_others_clients() -> None:
    """Functions that only send messages import neither the scanner, the checksums nor the observer."""
    for module in ("s3", "sqs", "eventbridge", "cloudfront"):
        loaded = imported_by(f"import darkroom_pipeline.aws.{module}")
        assert loaded & {"anycrc", "aws_lambda_powertools", "aws_xray_sdk", "obstore"} == set(), module


def test_no_module_names_an_optional_package_in_a_string() -> None:
    """Neither to import it nor in any other text than a docstring."""
    tops = "|".join(OPTIONAL)
    named = re.compile(rf"(darkroom)?\.+({tops})(\.\w+)*|({tops})(\.\w+)+|({'|'.join(LAYERS)})(\.\w+)*")
    found = [
        (module, text)
        for module in modules_of("darkroom")
        if module.split(".")[1:2] and module.split(".")[1] not in OPTIONAL
        for text in _list_texts(PACKAGE / f"{module.replace('.', '/')}.py")
        if named.fullmatch(text)
    ]
    assert found == []
    assert [
        (importer, imported)
        for importer, imported in find_string_imports("darkroom")
        if importer.split(".")[1] not in OPTIONAL and imported.split(".")[1] in OPTIONAL
    ] == []


def _list_texts(file: Path) -> list[str]:
    path = file if file.is_file() else file.with_suffix("") / "__init__.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
