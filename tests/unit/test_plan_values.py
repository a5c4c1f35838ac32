"""The dataclasses of the package are frozen, but for the few that a parser fills."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, fields, is_dataclass
from typing import Any

import pytest

import darkroom.plan
import darkroom_dialects
from darkroom.client_findings import parse_client_findings
from darkroom.plan.experiments import Experiment
from darkroom.plan.forced_options import ForcedOptions
from darkroom.plan.geometry.layout import compute_geometry
from darkroom.plan.geometry.placement import Size
from darkroom.plan.limits import Limits
from darkroom.plan.native_url import parse_url
from darkroom.plan.option_plugins import OptionPlugin
from darkroom.plan.options import OPTIONS_BY_SHORT
from darkroom.plan.presets import parse_presets_toml as load_presets
from darkroom.services.upload_requests import Grant, parse_upload_request
from darkroom_dialects import cloudflare, dit, imgproxy, thumbor
from darkroom_dialects.cloudflare.option_parsers import CloudflareOptions as CloudflareWanted
from darkroom_dialects.cloudinary.model import CloudinaryOptions, Resize
from darkroom_dialects.cloudinary.url import split_path as split_cloudinary
from darkroom_dialects.common.anchor import Anchor
from darkroom_dialects.common.parsed_url import DialectKey
from darkroom_dialects.common.settings import DialectSettings
from darkroom_dialects.dit.model import DitOptions as DitWanted
from darkroom_dialects.dit.model import DitRequest
from darkroom_dialects.iiif.image import resolve_image
from darkroom_dialects.iiif.spec import V3, SizeLimits
from darkroom_dialects.iiif.url import ImageRequest
from darkroom_dialects.iiif.url import parse as read_iiif
from darkroom_dialects.imgix.model import ImgixOptions, Rect
from darkroom_dialects.imgproxy.info import InfoRequest
from darkroom_dialects.imgproxy.model import ExtendOptions, TrimOptions, WatermarkOptions
from darkroom_dialects.imgproxy.model import ImgproxyOptions as ImgproxyWanted
from darkroom_dialects.imgproxy.option_parsers import ParseState
from darkroom_dialects.settings_file import parse_settings
from darkroom_dialects.thumbor import OPTION_MAPPINGS
from darkroom_dialects.thumbor.meta import _Engine
from darkroom_dialects.thumbor.model import ThumborOptions as ThumborWanted
from darkroom_dialects.thumbor.path_segments import split_path

FILLED = {
    CloudflareWanted,
    CloudinaryOptions,
    Resize,
    ImgixOptions,
    DitWanted,
    ThumborWanted,
    ImgproxyWanted,
    ExtendOptions,
    InfoRequest,
    WatermarkOptions,
    TrimOptions,
    ParseState,
    _Engine,
}


def find_dataclasses() -> set[type]:
    packages = (darkroom_dialects, darkroom.plan)
    found = [one.name for p in packages for one in pkgutil.walk_packages(p.__path__, f"{p.__name__}.")]
    names = [name for name in found if not name.startswith(("darkroom_dialects.registry", "darkroom_dialects.serving"))]
    members = [(name, one) for name in names for one in vars(importlib.import_module(name)).values()]
    return {one for name, one in members if isinstance(one, type) and is_dataclass(one) and one.__module__ == name}


def make_values() -> Iterator[Any]:
    """Yield values of all dataclasses but ``FILLED``."""
    presets = load_presets('[presets.small]\nw = 10\nf = "png"\n')
    settings = parse_settings("", presets)
    yield from (presets, settings, settings.sources, settings.imgproxy, settings.thumbor, settings.dit)
    yield from (settings.cloudflare, settings.cloudinary, split_cloudinary("/image/upload/a.jpg"))
    for option in OPTIONS_BY_SHORT.values():
        assert option.type.allowed_values
        yield from (option, option.type)
    yield parse_url("/a.jpg?w=1")
    asked = imgproxy.parse(f"/{'a' * 43}/rs:fit:1:1/plain/a.jpg", settings)
    yield from (asked, asked.plan, asked.claim, DialectKey("00"), Anchor(), Limits().for_scenes)
    cloudflare.parse("/cdn-cgi/image/width=1/a.jpg", settings)
    thumbor.parse("/unsafe/1x1/a.jpg", settings)
    dit.parse("/1x1/a.jpg", settings)
    yield from (split_path("a.jpg"), DitRequest("a.jpg", {}), ForcedOptions.parse("a/=text"))
    yield from OPTION_MAPPINGS
    yield from (one.parse for one in OPTION_MAPPINGS if one.parse)
    yield from map(read_iiif, ("/iiif/3/a", "/iiif/3/a/info.json"))
    yield from (V3, Rect("px", 0, 0, 1, 1))
    image = read_iiif("/iiif/3/a/full/max/0/default.jpg")
    assert isinstance(image, ImageRequest)
    yield from (
        image,
        image.region,
        image.size,
        image.rotation,
        SizeLimits(),
        resolve_image(image, Size(2, 2), SizeLimits()),
    )
    yield compute_geometry(asked.plan, Size(2, 2))
    yield parse_client_findings({"tags": []})
    grant = Grant("a/", 1)
    body = b'{"key": "a/b", "type": "image/png", "size": 1, "sha256": "%s"}' % (b"0" * 64)
    yield from (grant, parse_upload_request(body, grant, 1))
    yield OptionPlugin("ov", str, lambda _: (), "overlays/")
    experiment = Experiment("hero", (("a", 1), ("b", 1)))
    yield from (experiment, *experiment.divide())


def test_values_are_frozen() -> None:
    seen: set[type] = set()
    for value in make_values():
        if not is_dataclass(value) or type(value) in seen:
            continue
        seen.add(type(value))
        for field in fields(value):
            with pytest.raises(FrozenInstanceError):
                setattr(value, field.name, None)
    assert {one.__qualname__ for one in find_dataclasses() - FILLED - seen} == {"ImageReference"}
    assert all(one.__dataclass_params__.frozen for one in find_dataclasses() - FILLED)  # type: ignore[attr-defined]


def test_dataclasses_have_slots() -> None:
    assert isinstance(DialectSettings().watermarks, dict)
    assert {type(value) for value in make_values() if hasattr(value, "__dict__") and is_dataclass(value)} == set()
    filled = (CloudflareWanted(), ParseState(DialectSettings().imgproxy))
    assert [type(value) for value in filled if hasattr(value, "__dict__")] == []
    assert [one for one in find_dataclasses() if "__slots__" not in vars(one)] == []
