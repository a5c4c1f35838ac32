"""The metadata for the AWS Serverless Application Repository: SAM's command, and a server that answers it."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from local.tool_venvs import python_path

from .modules import VERSION, write_release


class Repository(BaseHTTPRequestHandler):
    """Accepts an application; its server keeps the request."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.published = (self.path, body)  # type: ignore[attr-defined]
        answer = json.dumps({"applicationId": "arn:aws:serverlessrepo:us-east-1:000000000000:applications/darkroom"})
        self.send_response(201)
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.mark.slow
def test_sam_publishes_the_template_of_a_release(tmp_path: Path) -> None:
    template = write_release(tmp_path / "release") / "templates" / "darkroom-arm64.json"
    with HTTPServer(("127.0.0.1", 0), Repository) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "SAM_CLI_TELEMETRY": "0",
        }
        command = [
            str(python_path("sam")),
            "-m",
            "samcli",
            "publish",
            "--region",
            "us-east-1",
            "--template",
            str(template),
        ]
        done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
        server.shutdown()
    assert done.returncode == 0, done.stderr
    path, body = server.published  # type: ignore[attr-defined]
    assert path == "/applications"
    assert (body["name"], body["semanticVersion"], body["spdxLicenseId"]) == ("darkroom", VERSION, "MIT")
    assert len(body["description"]) <= 256
    assert "ServerlessRepo" not in body["templateBody"]
