"""Rights in files that dialects name: what a URL sets, and what the deployment sets where it does not."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import replace

import pytest
from obstore.store import MemoryStore

from darkroom.aws.s3_fast import FastBucket
from darkroom.imaging.formats.metadata.rights import Rights
from darkroom.plan.forced_options import NOTHING_FORCED
from darkroom.plan.model import METADATA
from darkroom.plan.presets import Presets
from darkroom.plan.variants import AccessMode
from darkroom.settings import DEFAULTS
from darkroom_dialects.parsers import load_parser
from darkroom_dialects.registry import DIALECTS_BY_NAME
from darkroom_dialects.serving.handler import build_service
from darkroom_dialects.serving.request import DialectRequest
from darkroom_dialects.serving.service import choose_variant
from tests.images.rights_files import read_packets
from tests.images.sources import photo, saved

from .serving import SETTINGS, served

NEVER, ALWAYS, BY_SETTING = (False, False), (True, True), (False, True)
"""Whether a file has rights, for each of :data:`METADATA` as the setting."""

PRESETS = Presets(
    {"kept": {"w": "60", "meta": "rights"}, "dropped": {"w": "60", "meta": "none"}, "unset": {"w": "60"}}, {}, ()
)
HOSTED = "/cdn-cgi/imagedelivery/account/a.jpg"
CDN = "/cdn-cgi/image"


def encode_edits(edits: dict[str, object]) -> str:
    return "/dit/" + b64encode(json.dumps({"key": "a.jpg", "edits": edits}).encode()).decode()


@pytest.mark.parametrize(
    ("dialect", "target", "expected"),
    [
        ("imgproxy", "/imgproxy/insecure/kcr:1/plain/a.jpg", ALWAYS),
        ("imgproxy", "/imgproxy/insecure/kcr:0/plain/a.jpg", NEVER),
        ("imgproxy", "/imgproxy/insecure/sm:0/plain/a.jpg", ALWAYS),
        ("imgproxy", "/imgproxy/insecure/sm:0/kcr:0/plain/a.jpg", ALWAYS),
        ("imgproxy", "/imgproxy/insecure/sm:1/plain/a.jpg", BY_SETTING),
        ("imgproxy", "/imgproxy/insecure/sm:1/kcr:1/plain/a.jpg", ALWAYS),
        ("imgproxy", "/imgproxy/insecure/plain/a.jpg", BY_SETTING),
        ("imgproxy", "/imgproxy/info/insecure/plain/a.jpg", NEVER),
        ("cloudflare", f"{CDN}/metadata=copyright/a.jpg", ALWAYS),
        ("cloudflare", f"{CDN}/metadata=keep/a.jpg", ALWAYS),
        ("cloudflare", f"{CDN}/metadata=none/a.jpg", NEVER),
        ("cloudflare", f"{CDN}/width=60/a.jpg", BY_SETTING),
        ("cloudflare", f"{CDN}/metadata=copyright,format=json/a.jpg", NEVER),
        ("cloudflare", f"{HOSTED}/kept", ALWAYS),
        ("cloudflare", f"{HOSTED}/dropped", NEVER),
        ("cloudflare", f"{HOSTED}/unset", BY_SETTING),
        ("cloudflare", f"{HOSTED}/w=60,metadata=none", NEVER),
        ("dit", encode_edits({"stripExif": True}), NEVER),
        ("dit", encode_edits({"stripExif": False}), BY_SETTING),
        ("dit", encode_edits({"rotate": None}), NEVER),
        ("dit", encode_edits({"rotate": 90}), BY_SETTING),
        ("dit", "/dit/filters:strip_exif()/a.jpg", NEVER),
        ("dit", "/dit/a.jpg?stripExif=true", NEVER),
        ("dit", "/dit/a.jpg", BY_SETTING),
        ("cloudinary", "/cloudinary/demo/image/upload/fl_keep_iptc/a.jpg", ALWAYS),
        ("cloudinary", "/cloudinary/demo/image/upload/fl_force_strip/a.jpg", NEVER),
        ("imgix", "/imgix/a.jpg?iptc=allow", ALWAYS),
        ("imgix", "/imgix/a.jpg?iptc=block", NEVER),
        ("thumbor", "/thumbor/unsafe/filters:strip_exif()/a.jpg", BY_SETTING),
        ("thumbor", "/thumbor/unsafe/a.jpg", BY_SETTING),
    ],
)
def test_the_variant_has_the_rights_that_its_url_or_the_setting_names(
    dialect: str, target: str, expected: tuple[bool, bool]
) -> None:
    one = DIALECTS_BY_NAME[dialect]
    parsed = load_parser(one).parse(one.parser_input(target), replace(SETTINGS, presets=PRESETS))
    found = [choose_variant(parsed, DialectRequest(target), NOTHING_FORCED, default) for default in METADATA]
    assert tuple(plan.rights for plan in found) == expected


@pytest.mark.parametrize("metadata", METADATA)
@pytest.mark.parametrize(
    "target",
    ["/imgproxy/insecure/plain/a.jpg", "/thumbor/unsafe/a.jpg", "/iiif/3/a.jpg/full/max/0/default.jpg"],
)
def test_a_response_has_the_rights_that_the_setting_names(target: str, metadata: str) -> None:
    bucket = FastBucket(MemoryStore())
    master = saved(photo().resize((32, 24)), "JPEG")
    bucket.put("masters/a.jpg", master, {"Content-Type": "image/jpeg", "rights": Rights(creator="Ann").text})
    stack = served(bucket, AccessMode.OPEN)
    settings = replace(DEFAULTS, metadata=metadata)
    dialects = build_service(settings, stack.dialects.transform, stack.document)
    response = replace(stack, dialects=replace(dialects, modes=stack.dialects.modes)).get(target)
    assert response["statusCode"] == 200
    assert len(read_packets(b64decode(str(response["body"])))) == (metadata == "rights")
