"""The parts of the local stack that need no stack."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import socket
import sys
import zipfile
import zlib
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace

import pytest

from cloudfront_local import policies
from cloudfront_local.model import Cors, OriginKind, Pick, PolicyHeader
from darkroom.errors import BadOption
from darkroom.plan.native_url import parse_url
from darkroom.plan.url_builder import sign_target
from darkroom.signing import sign, verify
from local import pidfile, source_digest
from local.aws import tool_environment
from local.containers import open_relays
from local.errors import StartError
from local.ministack import build_environment
from local.ministack_process import find_layer_packages, unpack_layers_once
from local.paths import Ports, StackPaths
from local.sam_process import FASTEST, pack_fast
from local.samples import PHOTOGRAPHS, draw_watermark
from local.stack import require_free


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("template.yaml", "samconfig.toml", "functions/transform/app.py", "layers/darkroom/darkroom/a.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def _append(path: Path) -> None:
    path.write_text(path.read_text() + "#")


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: _append(tree / "template.yaml"),
        lambda tree: _append(tree / "layers/darkroom/darkroom/a.py"),
        lambda tree: (tree / "functions/transform/new.py").write_text(""),
        lambda tree: (tree / "functions/transform/app.py").rename(tree / "functions/transform/other.py"),
        lambda tree: (tree / "layers/darkroom/darkroom/a.py").unlink(),
    ],
)
def test_a_changed_source_changes_the_digest(tree: Path, change: Callable[[Path], object]) -> None:
    digest = source_digest.digest(tree)
    change(tree)
    assert source_digest.digest(tree) != digest


def test_other_files_do_not_change_the_digest(tree: Path) -> None:
    digest = source_digest.digest(tree)
    for name in ("functions/transform/__pycache__/app.pyc", "layers/.cache/x", "layers/darkroom/.swp", "README.md"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("")
    assert source_digest.digest(tree) == digest


def test_further_values_change_the_digest(tree: Path) -> None:
    assert source_digest.digest(tree, "arm64") != source_digest.digest(tree, "x86_64")


KEY = "a key"


@pytest.mark.parametrize(
    ("target", "expires_s"),
    [
        ("/a%20b.jpg?w=801&fit=cover&h=3", None),
        ("a.jpg?w=801", 1_900_000_000),
        ("/a.jpg", None),
        ("/a.jpg?s=old&exp=1", None),
    ],
)
def test_a_signed_target_is_verified(target: str, expires_s: int | None) -> None:
    signed = sign_target(target, KEY, expires_s)
    request = parse_url(signed)
    assert request.expires_s == expires_s
    verify(request.path, request.signature, request.expires_s, [KEY], 0)
    assert signed.startswith("/a")
    assert signed.count("s=") == 1
    assert sign(request.path, "another key", expires_s) != request.signature


def test_only_valid_requests_are_signed() -> None:
    with pytest.raises(BadOption):
        sign_target("/a.jpg?w=0", KEY)


def _hold(state: Path, ready: Connection) -> None:
    with pidfile.claim(StackPaths(state)):
        ready.send(os.getpid())
        ready.recv()


@pytest.mark.slow
def test_one_stack_per_state_folder_and_it_can_be_stopped(tmp_path: Path) -> None:
    place = StackPaths(tmp_path)
    assert (pidfile.running_pid(place), pidfile.stop(place)) == (0, False)
    here, there = multiprocessing.Pipe()
    child = multiprocessing.get_context("spawn").Process(target=_hold, args=(tmp_path, there))
    child.start()
    pid = here.recv()
    assert pidfile.running_pid(place) == pid == child.pid
    with pytest.raises(StartError, match=str(pid)), pidfile.claim(place):
        pass
    assert pidfile.stop(place)
    child.join()
    assert pidfile.running_pid(place) == 0
    with pidfile.claim(place):
        place.stack_info.write_text("{}")
        assert pidfile.running_pid(place) == os.getpid()
    assert not place.stack_info.exists()


def test_a_port_in_use_is_reported_with_its_option() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])
        with pytest.raises(StartError, match=f"Port {port} .*--port {port + 1}"):
            require_free(port, "--port")
    require_free(port, "--port")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux needs a relay")
def test_containers_reach_loopback_listeners() -> None:
    async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readline()).upper())
        writer.close()

    async def scenario() -> None:
        async with await asyncio.start_server(shout, "127.0.0.1", 0) as server:
            port = int(server.sockets[0].getsockname()[1])
            async with open_relays([port], ("127.0.0.2", "203.0.113.1")):
                reader, writer = await asyncio.open_connection("127.0.0.2", port)
                writer.write(b"hello\n")
                assert await reader.read() == b"HELLO\n"
                writer.close()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.2", port)

    asyncio.run(scenario())


def test_tools_get_no_aws_settings_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    seen = tool_environment("http://127.0.0.1:1")
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN"} & set(seen)
    assert seen["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert seen["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull


def test_ministack_listens_on_loopback_and_stores_data_in_its_folder(tmp_path: Path) -> None:
    seen = build_environment(StackPaths(tmp_path), Ports(1, 2))
    assert (seen["BIND_HOST"], seen["GATEWAY_PORT"]) == ("127.0.0.1", "2")
    assert all(seen[name].startswith(str(tmp_path)) for name in ("STATE_DIR", "S3_DATA_DIR", "TMPDIR", "HOME"))


def test_the_package_contains_the_sample_photographs() -> None:
    import skimage

    folder = Path(skimage.__file__).parent / "data"
    assert [name for name in PHOTOGRAPHS if not (folder / name).is_file()] == []


def test_the_watermark_fills_its_canvas_and_has_transparent_corners() -> None:
    import io

    from PIL import Image

    with Image.open(io.BytesIO(draw_watermark())) as image:
        assert (image.mode, image.size) == ("RGBA", (480, 480))
        assert image.getpixel((0, 0)) == (0, 0, 0, 0)
        left, top, right, bottom = image.getchannel("A").getbbox() or (0, 0, 0, 0)
    assert (right - left, bottom - top) == pytest.approx((480, 480), abs=2)


def test_cache_policy_document() -> None:
    policy = policies.cache_policy(
        {
            "MinTTL": 1,
            "MaxTTL": 9,
            "DefaultTTL": 5,
            "ParametersInCacheKeyAndForwardedToOrigin": {
                "EnableAcceptEncodingGzip": True,
                "EnableAcceptEncodingBrotli": True,
                "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": {"Quantity": 1, "Items": ["Accept"]}},
                "CookiesConfig": {"CookieBehavior": "none"},
                "QueryStringsConfig": {"QueryStringBehavior": "allExcept", "QueryStrings": {"Items": ["utm"]}},
            },
        }
    )
    assert (policy.min_ttl_s, policy.default_ttl_s, policy.max_ttl_s) == (1, 5, 9)
    assert policy.encodings == ("br", "gzip")
    assert policy.key.headers.takes("accept")
    assert not policy.key.cookies.takes("session")
    assert (policy.key.queries.takes("w"), policy.key.queries.takes("utm")) == (True, False)


def test_origin_request_policy_document() -> None:
    chosen = policies.selections({"HeadersConfig": {"HeaderBehavior": "allViewer"}})
    assert (chosen.headers.pick, chosen.cookies.pick) == (Pick.ALL, Pick.NONE)


def test_response_headers_policy_document() -> None:
    policy = policies.response_headers_policy(
        {
            "CorsConfig": {
                "AccessControlAllowOrigins": {"Items": ["*"]},
                "AccessControlAllowMethods": {"Items": ["GET"]},
                "AccessControlAllowHeaders": {"Items": ["*"]},
                "AccessControlAllowCredentials": False,
                "AccessControlMaxAgeSec": 60,
                "OriginOverride": True,
            },
            "SecurityHeadersConfig": {
                "ContentTypeOptions": {"Override": True},
                "StrictTransportSecurity": {"AccessControlMaxAgeSec": 9, "Preload": True, "Override": False},
            },
            "CustomHeadersConfig": {"Items": [{"Header": "Vary", "Value": "Accept", "Override": True}]},
            "RemoveHeadersConfig": {"Items": [{"Header": "X-Amz-Id-2"}]},
        }
    )
    assert policy.headers == (
        PolicyHeader("X-Content-Type-Options", "nosniff", True),
        PolicyHeader("Strict-Transport-Security", "max-age=9; preload", False),
        PolicyHeader("Vary", "Accept", True),
    )
    assert policy.cors == Cors(("*",), ("GET",), ("*",), max_age_s=60)
    assert policy.removed == {"x-amz-id-2"}


def test_origin_documents() -> None:
    origin = policies.origin(
        {
            "Id": "o",
            "DomainName": "f.lambda-url.us-east-1.on.aws",
            "CustomOriginConfig": {"OriginReadTimeout": 25},
            "CustomHeaders": {"Items": [{"HeaderName": "x-secret", "HeaderValue": "1"}]},
        },
        "lambda",
    )
    assert (origin.kind, origin.timeout_s, origin.headers) == (OriginKind.FUNCTION_URL, 25.0, (("x-secret", "1"),))
    group = policies.origin_group(
        {
            "Id": "g",
            "Members": {"Items": [{"OriginId": "a"}, {"OriginId": "b"}]},
            "FailoverCriteria": {"StatusCodes": {"Items": [403, 404]}},
        }
    )
    assert (group.members, group.statuses) == (("a", "b"), frozenset({403, 404}))


def test_paths_of_layer_files_are_replaced(tmp_path: Path) -> None:
    first, second = tmp_path / "layer_0", tmp_path / "layer_1"
    for file in (first / "models" / "a.onnx", second / "models" / "a.onnx", first / "etc" / "only"):
        file.parent.mkdir(parents=True)
        file.touch()
    variables = {
        "MODEL_DIR": "/opt/models",
        "ONLY": "/opt/etc/only",
        "ELSEWHERE": "/opt/missing",
        "TABLE": "a-table",
    }
    named = {"MODEL_DIR": f"{second}/models", "ONLY": f"{first}/etc/only"}
    assert find_layer_packages(variables, [first, second]) == variables | named
    assert find_layer_packages(variables, []) == variables


def test_archives_of_sam_are_packed_fast(tmp_path: Path) -> None:
    packaging = SimpleNamespace(zipfile=zipfile)
    pack_fast(packaging)
    content, path = repr(list(range(9999))).encode(), tmp_path / "layer.zip"
    with packaging.zipfile.ZipFile(path, "w", packaging.zipfile.ZIP_DEFLATED) as file:
        file.writestr(packaging.zipfile.ZipInfo("a"), content, compress_type=packaging.zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(path) as file:
        assert file.read("a") == content
        [member] = file.infolist()
    fast, default = (len(zlib.compress(content, level, wbits=-15)) for level in (FASTEST, -1))
    assert member.compress_size == fast != default


def test_a_layer_is_unpacked_once_and_code_per_process(tmp_path: Path) -> None:
    runtime = SimpleNamespace(zipfile=zipfile)
    unpack_layers_once(runtime, tmp_path / "layers")

    def unpacked(process: str, name: str, content: str) -> Path:
        folder, archive = tmp_path / process / name, tmp_path / process / f"{name}.zip"
        folder.mkdir(parents=True)
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("python/module.py", content)
            program = zipfile.ZipInfo("bin/program")
            program.external_attr = 0o755 << 16
            file.writestr(program, "")
        with runtime.zipfile.ZipFile(str(archive)) as file:
            file.extractall(str(folder))
        assert (folder / "python" / "module.py").read_text() == content
        return (folder / "python" / "module.py").resolve()

    first = unpacked("one", "layer_0", "A = 1")
    assert os.access(first.parent.parent / "bin" / "program", os.X_OK)
    assert unpacked("two", "layer_0", "A = 1") == first
    assert unpacked("two", "layer_1", "A = 2") != first
    assert unpacked("one", "code", "A = 1").is_relative_to(tmp_path / "one")
    assert unpacked("two", "code", "A = 1").is_relative_to(tmp_path / "two")
