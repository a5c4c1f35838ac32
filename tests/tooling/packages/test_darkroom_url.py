"""The distribution for web servers: it installs alone, agrees with the layer, is typed, and its README runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from darkroom.plan.native_url import parse_url
from darkroom.plan.url_builder import build_target, sign_target
from darkroom.services.upload_requests import verify_token
from darkroom.signing import verify
from tools.signing_vectors import FILE

from .conftest import OLDEST, PACKAGE, Server

KEY = "a key of more than 16 characters"
EXPIRES_S = 1_999_999_999
URLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("photo.jpg", {}),
    ("trips/Rom & Cäsar 100%.jpg", {"w": 800}),
    ("photo.jpg", {"width": 400, "dpr": 2, "f": "webp"}),
    ("photo.jpg", {"w": 600, "h": 400, "fit": "cover", "g": "attention"}),
    ("photo.jpg", {"crop": "pct:10,10,50,50", "rot": 90, "sat": -40, "pad": 20, "bg": "ff8800"}),
    ("photo.jpg", {"w": 1200, "wm": "logo,southeast,80,20"}),
    ("photo.jpg", {"dpr": 1.5, "w": 300}),
    ("photo.jpg", {"preset": "cover"}),
    ("photo.jpg", {"f": "json"}),
)
REFUSED: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("photo.jpg", {"w": 0}, "bad-option"),
    ("photo.jpg", {"colour": "red"}, "unknown-option"),
    ("photo.jpg", {"w": 1, "width": 2}, "duplicate-option"),
    ("a//b.jpg", {}, "bad-key"),
)


def test_the_wheel_has_no_dependency_and_no_more_of_the_layer_than_it_imports(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        [metadata] = [name for name in names if name.endswith("METADATA")]
        described = archive.read(metadata).decode()
        assert "Requires-Dist" not in described
        assert f"Requires-Python: >={OLDEST}\n" in described
    assert "darkroom_url/py.typed" in names
    layer = {name.removeprefix("darkroom_url/_darkroom/") for name in names if "/_darkroom/" in name}
    assert {"plan/native_url.py", "signing.py", "presets.json"} <= layer
    assert not {name for name in layer if name.startswith(("aws/", "imaging/", "models/"))}
    assert len(layer) < 45


BUILD = """
from darkroom_url import build_url
result = [build_url(image, base="https://cdn/", **options) for image, options in urls]
result += [build_url(image, signing_key=key, expires_at=expires, **options) for image, options in urls]
"""


@pytest.mark.slow
def test_its_urls_are_those_of_the_layer(server: Server) -> None:
    found = server.run(BUILD, urls=URLS, key=KEY, expires=EXPIRES_S)
    plain, signed = found[: len(URLS)], found[len(URLS) :]
    assert plain == [f"https://cdn{build_target(image, options)}" for image, options in URLS]
    assert signed == [sign_target(build_target(image, options), KEY, EXPIRES_S) for image, options in URLS]
    for url in signed:
        request = parse_url(url)
        verify(request.path, request.signature, request.expires_s, [KEY], EXPIRES_S - 1)


REFUSE = """
from darkroom_url import UrlError, build_url
try:
    build_url(image, **options)
except UrlError as error:
    result = error.code
"""


@pytest.mark.sample(3)
@pytest.mark.parametrize(("image", "options", "code"), REFUSED, ids=[case[2] for case in REFUSED])
def test_what_the_server_refuses_is_refused(server: Server, image: str, options: dict[str, Any], code: str) -> None:
    assert server.run(REFUSE, image=image, options=options) == code


PRESETS = """
from darkroom_url import UrlError, build_srcset, build_url, sign
result = [build_url("a.jpg", preset="mine"), build_url("a.jpg", preset="mine", signing_key=key, presets=table)]
try:
    sign("/a.jpg?preset=mine", key)
except UrlError as error:
    result.append(error.code)
result.append(build_srcset("a.jpg", widths=(320, 640), f="webp"))
"""


def test_presets_of_ones_own_and_srcset(server: Server) -> None:
    plain, signed, code, srcset = server.run(PRESETS, key=KEY, table={"mine": {"w": 333}})
    assert plain == "/a.jpg?preset=mine"
    signature = signed.rpartition("s=")[2]
    verify(parse_url("/a.jpg?w=333").path, signature, None, [KEY], 0)
    assert code == "bad-option"
    assert srcset == "/a.jpg?w=320&f=webp 320w, /a.jpg?w=640&f=webp 640w"


LITERAL = """
from darkroom_url import UrlError, build_extension_url, build_url, sign, sign_literal, sign_message
result = {"signed": [sign_literal(one["target"], key, expires_at=one["expires"]) for one in vectors]}
result["built"] = [build_url(one["image"], **one["options"]) for one in images]
result["canonical"] = [sign(one["target"], key, expires_at=one["expires"])[-43:] for one in vectors]
base = "https://images.example.com"
result["extensions"] = [
    build_extension_url(
        one["image"], one["name"], signing_key=key, base=base, expires_at=one["expires"], **one["options"]
    )
    for one in extensions
]
result["no_options"] = build_extension_url("a.jpg", "example", signing_key=key)
result["messages"] = [sign_message(one["text"], key, one["purpose"]) for one in messages]
try:
    sign_message("upload-token:MTkw", key)
except UrlError as error:
    result["other_purpose"] = error.code
try:
    build_extension_url("a//b", "example", signing_key=key, w=64)
except UrlError as error:
    result["refused"] = error.code
try:
    sign_literal("/a.jpg/_/w-1.webp", key)
except UrlError as error:
    result["code"] = error.code
"""


def test_the_vectors_of_signatures(server: Server) -> None:
    document: Any = json.loads(FILE.read_text(encoding="utf-8"))
    vectors = [*document["images"], *document["targets"]]
    extensions = document["extensions"]
    given = {
        "vectors": vectors,
        "images": document["images"],
        "extensions": extensions,
        "key": document["key"],
        "messages": document["messages"],
    }
    found = server.run(LITERAL, **given)
    assert found["extensions"] == ["https://images.example.com" + one["signed"] for one in extensions]
    assert found["messages"] == [one["signature"] for one in document["messages"]]
    assert found["refused"] == found["other_purpose"] == "bad-key"
    assert found["no_options"].startswith("/a.jpg/_/example?s=")
    assert found["signed"] == [one["signed"] for one in vectors]
    assert found["built"] == [one["target"] for one in document["images"]]
    assert found["canonical"] == [one["canonical_signature"] for one in vectors]
    assert found["code"] == "bad-key"


TOKEN = """
from datetime import datetime, timezone
from darkroom_url import create_upload_token
at = datetime.fromtimestamp(expires, timezone.utc)
result = create_upload_token("trips/", key, expires_at=at, max_bytes=1000, max_files=2, priority="urgent")
"""


def test_a_token_is_accepted_by_the_upload_api(server: Server) -> None:
    grant = verify_token(server.run(TOKEN, key=KEY, expires=EXPIRES_S), [KEY], EXPIRES_S - 1)
    assert (grant.prefix, grant.expires_s, grant.max_bytes, grant.max_files) == ("trips/", EXPIRES_S, 1000, 2)
    assert grant.priority == "urgent"


def test_the_examples_of_the_readme_run_as_printed(server: Server) -> None:
    blocks = re.findall(
        r"^```python\n(.*?)^```", (PACKAGE / "README.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    examples = [block for block in blocks if "darkroom_url" in block]
    assert examples
    for example in examples:
        server.run(f"{example}\nresult = None")


TYPED = """
from darkroom_url import build_srcset, build_url, create_upload_token, sign

url: str = build_url("a.jpg", w=800, f="webp", signing_key="k")
srcset: str = build_srcset("a.jpg", widths=[320])
signed: str = sign("/a.jpg?w=801", "k", expires_at=1)
token: str = create_upload_token("a/", "k", expires_at=1)
wrong: int = sign("/a.jpg", "k")
"""


@pytest.mark.slow
def test_a_type_checker_reads_its_types(server: Server, tmp_path: Path) -> None:
    (tmp_path / "page.py").write_text(TYPED)
    command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", str(server.python), "page.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert len(errors) == 1, done.stdout
    assert errors[0].startswith("page.py:8: error: Incompatible types in assignment")
