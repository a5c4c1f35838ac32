"""Every option of imgproxy's Node client, signed by it and served here."""

from __future__ import annotations

import io
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bench.competitors import npm
from bench.competitors.model import MissingCompetitor

from ..serving import KEY, Deployment, body_of, image, size_of

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
TABLE = json.loads((HERE / "client.json").read_text(encoding="utf-8"))
ROWS = [(False, *row) for row in TABLE["rows"]] + [(True, *row) for row in TABLE["info"]]
SOURCE = "https://images.example.com/photo.jpg"


@pytest.fixture(scope="module")
def client() -> tuple[str, Path]:
    """Node, and the folder that the client is installed in."""
    try:
        return npm.install("imgproxy-client", "imgproxy-node", [HERE / name for name in npm.LOCKED])
    except MissingCompetitor as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def urls(client: tuple[str, Path]) -> dict[str, str]:
    """The client's URL of each row, by the row's JSON."""
    runtime, folder = client
    rows = [{"info": info, "options": {name: value}} for info, name, value, _ in ROWS]
    document = {"folder": str(folder), "key": KEY.key, "salt": KEY.salt, "source": SOURCE, "rows": rows}
    done = subprocess.run(
        [runtime, str(HERE / "client.mjs")], input=json.dumps(document), capture_output=True, text=True, check=True
    )
    return {json.dumps(row): answer for row, answer in zip(ROWS, json.loads(done.stdout), strict=True)}


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    made = Deployment()
    made.bucket.put("masters/photo.jpg", jpeg(), {})
    return made


def jpeg() -> bytes:
    out = io.BytesIO()
    Image.open(io.BytesIO(image("plain 800x600"))).save(out, "JPEG")
    return out.getvalue()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{'info ' * row[0]}{row[1]} {json.dumps(row[2])}")
def test_an_option_of_the_client(urls: dict[str, Any], deployment: Deployment, row: Any) -> None:
    _, name, _, outcome = row
    made = urls[json.dumps(row)]
    assert "url" in made, f"{name}: {made}"
    response = deployment.get(made["url"].removeprefix("https://images.example.com"))
    if isinstance(outcome, str):
        assert response["statusCode"] == 400, f"is served, though {outcome}"
    elif isinstance(outcome, list):
        assert response["statusCode"] == 200, response["body"]
        assert size_of(response) == outcome
    else:
        found = _told(response)
        assert {name: found.get(name) for name in outcome} == outcome


def _told(response: Any) -> dict[str, Any]:
    """Headers of an answer, and the fields of its document."""
    assert response["statusCode"] == 200, response["body"]
    is_document = response["headers"]["content-type"] == "application/json"
    return {**response["headers"], **(json.loads(body_of(response)) if is_document else {})}


def test_a_signature_of_the_client_is_checked(urls: dict[str, Any], deployment: Deployment) -> None:
    signed = deployment.signed()
    path = next(iter(urls.values()))["url"].removeprefix("https://images.example.com")
    assert signed.get(path)["statusCode"] == 200
    assert signed.get(path.replace("/imgproxy/", "/imgproxy/x", 1))["statusCode"] == 403


def test_every_option_of_the_client_has_a_row(client: tuple[str, Path]) -> None:
    types = (client[1] / "node_modules/@imgproxy/imgproxy-js-core/dist/imgproxy-js-core.d.ts").read_text()
    for kind, table in (("Options", TABLE["rows"]), ("OptionsImageInfo", TABLE["info"])):
        union = re.search(rf"export type {kind} = ([^;]*);", types)
        assert union
        names = set()
        for interface in union[1].split(" & "):
            body = re.search(rf"export interface {interface.strip()} \{{(.*?)\n\}}", types, re.DOTALL)
            assert body, interface
            if first := re.search(r"^\t(\w+)\?:", body[1], re.MULTILINE):
                names.add(first[1])
        assert names - {name for name, *_ in table} == set()
