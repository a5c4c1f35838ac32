"""Check the stacks beside the first one, each as its users use it, by files of the run."""

from __future__ import annotations

import json
import secrets
import time
from typing import Any
from urllib.parse import quote, urlsplit

from ..files import dicom, geotiff, pdf
from ..further import find_api, find_further
from ..model import Check, CheckSkipped, require
from ..world import Answer, World

READY_WITHIN_S = 300.0
TOKEN_LASTS_S = 3600
KTX2 = b"\xabKTX 20\xbb\r\n\x1a\n"
"""The identifier at the beginning of a file (KTX 2.0 specification, section 3.1)."""

TILE = (12, 2200, 1400)
"""Zoom, column and row of a map tile in the Alps."""

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


def make_texture(world: World) -> str:
    """Get a texture of an image by its signed URL."""
    from tools.texture_urls import sign_url

    find_further(world, "textures")
    answer = world.get(sign_url(world.image, "w=64", world.signing_key))
    require(answer.status == 200, f"the answer is {answer.status}: {answer.body[:200]!r}")
    require(answer.body.startswith(KTX2), f"the texture begins with {answer.body[:12]!r}")
    return f"{answer.headers.get('content-type')}, {len(answer.body):,} bytes"


def show_document(world: World) -> str:
    """Store a PDF, and get the image of its first page."""
    stack = find_further(world, "documents")
    name = f"{world.folder}page.pdf"
    world.objects.append((stack.outputs["DocumentsBucketName"], name))
    key = stack.parameters["UploadPrefix"] + name
    world.keys.append(key)
    body = pdf(200, 100, secrets.randbelow(10**9))
    world.client("s3").put_object(Bucket=stack.outputs["DocumentsBucketName"], Key=name, Body=body)
    widths = iter(range(101, 400))

    def look() -> Answer | None:
        answer = world.get(world.signed(f"{world.path(key)}?w={next(widths)}&f=png"))
        return answer if answer.status == 200 else None

    answer = world.wait(look, f"{key} is not served", READY_WITHIN_S)
    return f"{answer.headers.get('content-type')}, {len(answer.body):,} bytes"


def report_evidence(world: World) -> str:
    """Get the report of an image, and find its locked copy."""
    from evidence.tokens import EvidenceGrant, make_token

    stack = find_further(world, "evidence")
    grant = EvidenceGrant(world.image, int(time.time()) + TOKEN_LASTS_S, "smoke")
    url = f"{world.upload_url}/_evidence/{quote(world.image, safe='/')}?f=evidence"
    token = make_token(grant, world.signing_key)
    answer = world.request("GET", url, {"Authorization": f"Bearer {token}", "Accept": "application/json"})
    require(answer.status == 200, f"the answer is {answer.status}: {answer.body[:200]!r}")
    measures = len(answer.document()["measures"])
    if stack.parameters.get("CopyUploads") == "off":
        return f"{measures} measures"
    s3, bucket = world.client("s3"), stack.outputs["CustodyBucketName"]

    def look() -> list[dict[str, Any]]:
        found = s3.list_object_versions(Bucket=bucket, Prefix=f"originals/{world.image}/")
        return list(found.get("Versions", []))

    [copy, *_] = world.wait(look, f"{bucket} has no copy", READY_WITHIN_S)
    retention = s3.get_object_retention(Bucket=bucket, Key=copy["Key"], VersionId=copy["VersionId"])["Retention"]
    return f"{measures} measures; the copy is locked until {retention['RetainUntilDate']:%Y-%m-%d} and stays"


def draw_map_tile(world: World) -> str:
    """Register a raster, and get a tile of it through the stack's distribution."""
    stack = find_further(world, "map-tiles")
    key, bucket = f"{world.folder}tile.tif", world.outputs["MediaBucketName"]
    world.objects += [(bucket, f"map-tiles/rasters/{key}"), (bucket, f"map-tiles/descriptors/{key}")]
    world.client("s3").put_object(Bucket=bucket, Key=f"map-tiles/rasters/{key}", Body=geotiff(*TILE))
    found = world.client("lambda").invoke(
        FunctionName=stack.outputs["RastersFunctionName"],
        Payload=json.dumps({"action": "register", "key": key}).encode(),
    )
    described = json.loads(found["Payload"].read())
    require("maxzoom" in described, f"the raster was not registered: {described}")
    zoom, column, row = TILE
    target, public = f"/tiles/{key}/{zoom}/{column}/{row}.webp", stack.parameters.get("PublicUrl", "")
    if world.is_local:
        answer = world.request("GET", world.cdn_url + target, {"Host": urlsplit(public).netloc.split(":")[0]})
    else:
        answer = world.request("GET", (public or stack.outputs["TilesUrl"]) + target)
    require(answer.status == 200, f"the answer is {answer.status}: {answer.body[:200]!r}")
    return f"zoom {described['minzoom']} to {described['maxzoom']}; {len(answer.body):,} bytes"


def show_slice(world: World) -> str:
    """Upload a DICOM image, and get it without the patient's name."""
    from darkroom.signing import parse_secret, parse_signing_keys
    from medical.access import Grant, make_token
    from medical.uids import replace_uid

    stack = find_further(world, "medical")
    study, series, instance = (f"2.25.{secrets.randbits(120)}" for _ in range(3))
    secret = world.client("secretsmanager").get_secret_value(SecretId=stack.outputs["UidKeyArn"])["SecretString"]
    uid_key = parse_signing_keys(parse_secret(secret))[0]
    shown = {uid: replace_uid(uid, uid_key) for uid in (study, series, instance)}
    world.objects.append((stack.outputs["MastersBucketName"], f"studies/{shown[study]}/"))
    name = f"incoming/routine/{world.folder.strip('/')}.dcm"
    world.objects.append((stack.outputs["UploadsBucketName"], name))
    body = dicom(study, series, instance, "SMOKE^TEST")
    world.client("s3").put_object(Bucket=stack.outputs["UploadsBucketName"], Key=name, Body=body)
    token = make_token(Grant(int(time.time()) + TOKEN_LASTS_S, shown[study]), world.signing_key)
    base = f"{find_api(world, stack.outputs['DicomWebUrl'])}/dicomweb/studies/{shown[study]}/series/{shown[series]}"

    def ask(path: str, accept: str) -> Answer | None:
        answer = world.request("GET", base + path, {"Authorization": f"Bearer {token}", "Accept": accept})
        require(answer.status in (200, 404), f"{path} is answered with {answer.status}: {answer.body[:200]!r}")
        return answer if answer.status == 200 else None

    metadata = world.wait(lambda: ask("/metadata", "application/dicom+json"), f"{name} is not served", READY_WITHIN_S)
    require(b"SMOKE" not in metadata.body, "the metadata has the patient's name")
    rendered = ask(f"/instances/{shown[instance]}/rendered", "image/png")
    require(rendered, "the image is missing")
    assert rendered is not None
    return f"{rendered.headers.get('content-type')}, {len(rendered.body):,} bytes"


def open_review(world: World) -> str:
    """Open the review app without a session."""
    stack = find_further(world, "review")
    url = stack.outputs["ReviewUrl"]
    page = world.request("GET", url)
    require(page.status == 200, f"the page is answered with {page.status}: {page.body[:200]!r}")
    answer = world.request("GET", url.removesuffix("app") + "sign-in")
    require(answer.status == 303, f"sign-in is answered with {answer.status}: {answer.body[:200]!r}")
    location = answer.headers["location"]
    require("/oauth2/authorize" in location, f"it redirects to {location}")
    form = world.request("GET", location)
    require(form.status in (200, 302), f"Cognito answered {form.status}: {form.body[:200]!r}")
    return f"redirects to {urlsplit(location).netloc}, which answers {form.status}"


def serve_source(world: World) -> str:
    """Get a master of the bucket SourceBucket."""
    bucket, prefix = world.parameters.get("SourceBucket", ""), world.parameters.get("SourcePrefix", "")
    if not bucket:
        raise CheckSkipped("SourceBucket is empty")
    found = world.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
    keys = [one["Key"] for one in found.get("Contents", []) if one["Key"].lower().endswith(IMAGE_SUFFIXES)]
    require(keys, f"the first 1,000 objects below s3://{bucket}/{prefix} have no name of an image")
    answer = world.get(world.signed(f"{world.path(keys[0].removeprefix(prefix))}?w=337"))
    require(answer.status == 200, f"{keys[0]} is answered with {answer.status}: {answer.body[:200]!r}")
    return f"{answer.headers.get('content-type')}, {len(answer.body):,} bytes"


CHECKS = (
    Check(
        "map-tile",
        "rasterio and GDAL run in Lambda, and the stack's distribution may invoke its function",
        "the log of the rasters function; an error of imports names a library",
        draw_map_tile,
    ),
    Check(
        "document",
        "documents are converted in their sandbox, by S3's events",
        "messages of DocumentsDeadLettersUrl, and the log of the documents function",
        show_document,
    ),
    Check(
        "medical",
        "DICOM files become masters without patient data, and DICOMweb serves them",
        "messages of DeadLettersUrl, and the log of the ingest functions",
        show_slice,
    ),
    Check(
        "texture",
        "the encoder of textures runs in Lambda, behind the route of the HTTP API",
        "the log of the textures function",
        make_texture,
    ),
    Check(
        "evidence",
        "reports are made, and uploads are copied to a bucket with Object Lock",
        "the logs of both functions; messages of CustodyDeadLettersUrl",
        report_evidence,
    ),
    Check(
        "review",
        "the review app redirects to Cognito's page to sign in, and Cognito accepts the redirect",
        "the callback addresses of the user pool's client; the user pool's domain",
        open_review,
    ),
    Check(
        "source",
        "functions may read the masters of another bucket",
        "the bucket's policy, and the managed policies of stacks/sources.yaml",
        serve_source,
    ),
)
