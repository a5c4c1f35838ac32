"""Functions that are deployed without the imaging layer import nothing of it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.unit.test_architecture import NATIVE, PACKAGE, ROOT

VARIABLES = (
    *("UPLOADS_BUCKET", "MEDIA_BUCKET", "QUARANTINE_BUCKET", "INDEX_TABLE", "DISTRIBUTION_ID"),
    *("INGEST_QUEUE_URL", "PURGE_QUEUE_URL", "PURGE_DLQ_URL", "SIGNING_KEYS_ARN", "VECTOR_TABLE"),
    *("AUDIT_BUCKET", "ENDPOINT_NAME", "MODEL_GROUP", "POWERTOOLS_METRICS_NAMESPACE"),
)


@pytest.mark.parametrize("function", ["forget", "monitor", "purge", "similar", "sweep"])
def test_a_function_without_pictures_loads_nothing_that_decodes_them(function: str) -> None:
    script = "import json, sys, app; print(json.dumps(sorted(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": f"{PACKAGE}:{ROOT / 'functions' / function}", "PATH": "/usr/bin:/bin", "AWS_REGION": "x"}
        | dict.fromkeys(VARIABLES, "http://some.where/name")
        | {"MAX_RECEIVES": "20", "FUNCTIONS": "transform=t:512", "INFERENCE_MODE": "endpoint"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    loaded = json.loads(result.stdout.splitlines()[-1])
    assert [name for name in loaded if name.partition(".")[0] in NATIVE or name.startswith("darkroom.imaging")] == []
