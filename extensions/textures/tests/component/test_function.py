"""The textures function on MiniStack: signatures, storage, purges, refusals."""

from __future__ import annotations

import io
import itertools
import json
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from PIL import Image

from darkroom.plan.presets import load_default_presets
from darkroom.signing import sign, sign_message
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.services.purge.stale_derivatives import DerivativePurge
from extensions import find_extension
from tests.component.services.functions import Function, load
from tests.images.photographs import jpeg_photo, turned
from textures.container import SRGB, parse_texture
from textures.service import BASE

from .decoding import decode_levels, find_program

KEY = "0123456789abcdef"
PRESET = next(name for name, plan in load_default_presets().build_plans("a.jpg").items() if plan.width)
_numbers = itertools.count(1)


@dataclass(frozen=True)
class World:
    """A bucket with masters, and the function."""

    s3: Any
    bucket: str
    function: Function

    def put(self, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=f"masters/{key}", Body=body)

    def stored(self) -> list[str]:
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix="derivatives/")
        return [one["Key"].removeprefix("derivatives/") for one in found.get("Contents", ())]

    def get(self, path: str, query: str, method: str = "GET", **headers: str) -> dict[str, Any]:
        event = {
            "rawPath": f"{BASE}{path}",
            "rawQueryString": query,
            "headers": headers,
            "requestContext": {"http": {"method": method}},
        }
        return self.function.invoke(event)  # type: ignore[no-any-return]

    def get_signed(self, query: str, path: str = "/photo.jpg/_/texture", **headers: str) -> dict[str, Any]:
        """Request ``query`` with a literal signature."""
        return self.get(path, f"{query}&s={sign_message(f'{path}?{query}', KEY)}", **headers)


@pytest.fixture
def make_world(
    aws: Callable[[str], Any], aws_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., World]:
    for name, value in aws_environment.items():
        monkeypatch.setenv(name, value)  # credentials are read at the first request

    def make(**settings: object) -> World:
        number = next(_numbers)
        bucket = f"textures-{number}"
        aws("s3").create_bucket(Bucket=bucket)
        secret = aws("secretsmanager").create_secret(Name=bucket, SecretString=json.dumps({"current": KEY}))["ARN"]
        names = {"MEDIA_BUCKET": bucket, "SIGNING_KEYS_ARN": secret, "ENCODER_PATH": str(find_program())}
        world = World(
            aws("s3"),
            bucket,
            load("textures", aws_environment | names, settings, within=find_extension("textures").folder),
        )
        world.put("photo.jpg", jpeg_photo((150, 100)))
        return world

    return make


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()


def error_code(response: dict[str, Any]) -> str:
    return str(response["headers"].get("x-darkroom-error", ""))


def test_a_signed_texture_is_rendered_stored_and_found(world: World) -> None:
    first = world.get_signed("f=ktx2&w=64")
    assert (first["statusCode"], first["headers"]["content-type"]) == (200, "image/ktx2")
    assert first["headers"]["cache-control"] == "public, max-age=86400, s-maxage=31536000, stale-while-revalidate=86400"
    body = b64decode(first["body"])
    texture = parse_texture(body)
    assert (texture.width, texture.height, len(texture.levels), texture.transfer) == (64, 40, 7, SRGB)
    assert world.stored() == ["photo.jpg/_/w-64.etc1s.ktx2"]
    head = world.s3.head_object(Bucket=world.bucket, Key="derivatives/photo.jpg/_/w-64.etc1s.ktx2")
    master = world.s3.head_object(Bucket=world.bucket, Key="masters/photo.jpg")
    assert (head["ContentType"], head["Metadata"]["source-etag"]) == ("image/ktx2", master["ETag"].strip('"'))
    again = world.get_signed("w=65&format=ktx2")
    assert b64decode(again["body"]) == body
    assert "texture;dur" in first["headers"]["server-timing"]
    assert "server-timing" not in again["headers"], "it was not rendered"
    unchanged = world.get_signed("f=ktx2&w=64", **{"if-none-match": first["headers"]["etag"]})
    assert unchanged["statusCode"] == 304
    assert (
        world.get("/photo.jpg/_/texture", f"f=ktx2&w=64&s={sign('/photo.jpg/_/w-64.etc1s.ktx2', KEY)}", "HEAD")[
            "headers"
        ]["etag"]
        == (first["headers"]["etag"])
    )


@pytest.mark.slow
def test_pixels_are_those_of_the_renderer(world: World) -> None:
    """Orientation, crop and colour are the core's: a turned photograph is upright in the texture."""
    upright = Image.new("RGB", (96, 64), "red")
    upright.paste("blue", (48, 0, 96, 64))
    world.put("turned.jpg", turned(upright, 6))
    response = world.get_signed("f=ktx2&w=48&h=32&codec=uastc", "/turned.jpg/_/texture")
    top, *_ = decode_levels(b64decode(response["body"]))
    assert top.shape == (32, 48, 4)
    left, right = top[16, 4, :3].astype(int), top[16, 43, :3].astype(int)
    assert left[0] > 200 > 60 > left[2]
    assert right[2] > 200 > 60 > right[0]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("f=ktx2&w=64", "unsigned"),
        (f"f=ktx2&w=64&s={'A' * 43}", "bad-signature"),
        (f"f=ktx2&preset={PRESET}&w=64", "unsigned"),
        ("f=ktx2&w=320", "unsigned"),
        ("f=ktx2&w=64&mips=0", "unknown-option"),
        ("f=png&w=64", "bad-option"),
    ],
)
def test_only_signatures_and_presets_are_served(world: World, query: str, code: str) -> None:
    response = world.get("/photo.jpg/_/texture", query)
    assert error_code(response) == code
    assert response["headers"]["content-type"] == "application/problem+json"
    assert world.stored() == []


def test_a_signature_is_for_one_texture_and_no_native_one_is_for_any(world: World) -> None:
    signature = sign_message("/photo.jpg/_/texture?f=ktx2&w=64", KEY)
    for query in ("f=ktx2&w=68", "f=ktx2&w=64&codec=uastc", "f=ktx2&w=64&space=linear"):
        assert error_code(world.get("/photo.jpg/_/texture", f"{query}&s={signature}")) == "bad-signature"
    native = sign("/photo.jpg/_/w-64.png", KEY)
    assert error_code(world.get("/photo.jpg/_/texture", f"f=ktx2&w=64&s={native}")) == "bad-signature"


def test_a_preset_needs_no_signature_unless_everything_does(make_world: Callable[..., World]) -> None:
    query = f"f=ktx2&preset={PRESET}"
    guarded, signed = make_world(), make_world(access_mode="signed")
    assert guarded.get("/photo.jpg/_/texture", query)["statusCode"] == 200
    assert len(guarded.stored()) == 1
    assert error_code(signed.get("/photo.jpg/_/texture", query)) == "unsigned"
    assert error_code(make_world(access_mode="open").get("/photo.jpg/_/texture", "f=ktx2&w=64")) == "unsigned"


def test_textures_of_private_images_need_a_link_and_no_cache_keeps_them(make_world: Callable[..., World]) -> None:
    world = make_world(access_mode="open", private_prefixes=["pho"])
    assert error_code(world.get("/photo.jpg/_/texture", f"f=ktx2&preset={PRESET}")) == "unsigned"
    assert error_code(world.get_signed("f=ktx2&w=64")) == "unsigned"
    found = world.get_signed("f=ktx2&w=64&exp=4102444800")
    assert (found["statusCode"], found["headers"]["cache-control"]) == (200, "private, no-store")


def test_caches_keep_a_texture_until_its_link_expires(world: World) -> None:
    response = world.get_signed("f=ktx2&w=64&exp=4102444800")
    age = int(response["headers"]["cache-control"].removeprefix("public, max-age="))
    assert 1_000_000_000 < age < 4_102_444_800
    assert error_code(world.get_signed("f=ktx2&w=64&exp=1000000000")) == "expired"


def test_a_purge_deletes_textures_of_older_masters_and_of_none(world: World) -> None:
    bucket = S3Bucket(world.s3, world.bucket)
    purge = DerivativePurge(bucket, bucket)
    world.get_signed("f=ktx2&w=64")
    assert purge.delete_stale("photo.jpg").kept == 1
    world.put("photo.jpg", jpeg_photo((90, 60)))
    assert purge.delete_stale("photo.jpg").deleted == 1
    assert world.stored() == []
    fresh = parse_texture(b64decode(world.get_signed("f=ktx2&w=64")["body"]))
    assert (fresh.width, fresh.height) == (64, 40)
    world.s3.delete_object(Bucket=world.bucket, Key="masters/photo.jpg")
    assert purge.delete_stale("photo.jpg").deleted == 1
    assert error_code(world.get_signed("f=ktx2&w=64")) == "no-source"


def test_hostile_masters_are_refused_without_an_encode(world: World) -> None:
    cut = jpeg_photo((150, 100))
    world.put("cut.jpg", cut[: len(cut) // 3])
    world.put("text.jpg", b"<html>" * 100)
    bomb = io.BytesIO()
    Image.new("L", (16_000, 16_000)).save(bomb, "PNG")
    world.put("bomb.png", bomb.getvalue())
    codes = {
        key: error_code(world.get_signed("f=ktx2&w=64", f"/{key}/_/texture"))
        for key in ("cut.jpg", "text.jpg", "bomb.png", "missing.jpg")
    }
    assert codes == {
        "cut.jpg": "damaged",
        "text.jpg": "type-not-allowed",
        "bomb.png": "over-limits",
        "missing.jpg": "no-source",
    }
    assert [name for name in world.stored() if not name.endswith("refusal.json")] == []


def test_a_refusal_of_a_size_is_remembered(world: World) -> None:
    """An extreme aspect ratio makes a longer side than textures have."""
    tall = io.BytesIO()
    Image.new("RGB", (40, 4000), "teal").save(tall, "PNG")
    world.put("tall.png", tall.getvalue())
    first = world.get_signed("f=ktx2&w=32", "/tall.png/_/texture")
    assert (error_code(first), first["statusCode"]) == ("over-limits", 413)
    assert world.stored() == ["tall.png/_/refusal.json"]
    assert error_code(world.get_signed("f=ktx2&w=32", "/tall.png/_/texture")) == "over-limits"
    assert world.get_signed("f=ktx2&h=512", "/tall.png/_/texture")["statusCode"] == 200


@pytest.mark.parametrize(
    ("settings", "query"),
    [({"always_redact": {"photo": "faces"}}, "f=ktx2&w=64"), ({}, "f=ktx2&w=64&h=64&fit=cover&g=face")],
    ids=["forced redaction", "gravity by faces"],
)
def test_images_that_need_findings_have_no_textures(
    make_world: Callable[..., World], settings: dict[str, object], query: str
) -> None:
    world = make_world(**settings)
    response = world.get_signed(query)
    assert (error_code(response), response["statusCode"]) == ("no-inference", 501)
    assert world.stored() == []


def test_other_methods_and_paths_are_refused(world: World) -> None:
    assert world.get("/photo.jpg/_/texture", "f=ktx2&w=64", "POST")["statusCode"] == 405
    event = {"rawPath": "/photo.jpg", "headers": {}, "requestContext": {"http": {"method": "GET"}}}
    assert world.function.invoke(event)["statusCode"] == 404
    assert world.get("/photo.jpg", "f=ktx2&w=64")["statusCode"] == 400
