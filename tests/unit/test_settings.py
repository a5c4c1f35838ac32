"""The settings document: valid values, error messages, and the last valid version that a process keeps."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.errors import Unavailable
from darkroom.findings import FACES, MODERATION, SIMILARITY, TEXT
from darkroom.plan.forced_options import ForcedOptions
from darkroom.plan.limits import Limits
from darkroom.plan.model import DefaultQuality
from darkroom.plan.options import GENERATION_TYPE
from darkroom.plan.presets import load_default_presets
from darkroom.services.caching import CachePolicy
from darkroom.services.live_settings import (
    CURRENT,
    FRESH_S,
    RETRY_S,
    LiveSettings,
    SettingsBound,
    build_cache_policy,
    build_source_limits,
    build_upload_limits,
    history_key,
    parse_document,
)
from darkroom.settings import DEFAULTS, TASKS, InvalidSettings, Settings, list_setting_fields, parse_settings
from darkroom_dialects.registry import DIALECTS
from darkroom_dialects.serving.delivery import DEFAULT_MAX_AGE_S
from darkroom_dialects.serving.handler import dialect_modes


def test_an_empty_document_has_the_defaults_of_the_code() -> None:
    settings = parse_settings({})
    assert settings == DEFAULTS
    assert settings.presets is load_default_presets()
    assert build_source_limits(settings) == Limits()
    assert build_upload_limits(settings) == Limits()
    assert build_cache_policy(settings, refines=False) == CachePolicy()
    assert dialect_modes(settings) == {}
    assert settings.dialect_max_age_s == DEFAULT_MAX_AGE_S
    assert {FACES, TEXT, MODERATION, SIMILARITY} < set(TASKS)
    assert GENERATION_TYPE.pattern == "[a-z0-9]{1,8}"


@pytest.mark.parametrize("one", list_setting_fields(), ids=lambda one: one.name)
def test_every_setting_is_described_and_has_a_valid_default(one: Any) -> None:
    assert len(one.metadata["about"]) > 20
    assert one.metadata["rule"].allowed_values
    tables = (
        "always_redact",
        "always_watermark",
        "default_quality",
        "dialects",
        "experiments",
        "fallback_images",
        "sources",
        "tasks_by_prefix",
    )
    if one.name not in tables:  # which are converted
        assert one.metadata["rule"].parse(one.default) == one.default


def test_every_dialect_has_an_access_mode() -> None:
    names = {f"{dialect.name}_access_mode" for dialect in DIALECTS}
    assert names == {one.name for one in list_setting_fields() if one.name.endswith("_access_mode")}
    assert set(dialect_modes(parse_settings(dict.fromkeys(names, "open")))) == {one.name for one in DIALECTS}


ACCEPTED: dict[str, Any] = {
    "access_mode": "open",
    "immutable_prefixes": ["a/", "b/é"],
    "store_derivatives": False,
    "clamd_address": "clamd.internal:3310",
    "always_redact": {"people/": "faces", "caf%C3%A9/": "text", "": "all"},
    "always_watermark": {"previews/": "logo,center,40", "caf%C3%A9/": "logo"},
    "fallback_images": {"": "missing.png", "products/": "fallback/é.png", "people/": "missing.png"},
    "tasks": ["faces"],
    "max_source_bytes": 1,
    "dialects": {"sources": {"//a.example/": ""}, "imgproxy": {"presets": {"tiny": "w:16"}}},
    "experiments": {"hero": {"variants": {"cover": 1, "social": 1}, "visitor": "header:x-visitor"}},
    "default_quality": {"webp": 70},
}


def test_a_document_is_converted() -> None:
    settings = parse_settings(ACCEPTED)
    assert settings.immutable_prefixes == ("a/", "b/é")
    assert settings.always_redact == ForcedOptions.parse("people/=faces,caf%C3%A9/=text,=all")
    assert settings.always_watermark == ForcedOptions.parse("previews/:logo-center-40,caf%C3%A9/:logo")
    assert settings.forced == settings.always_redact.merge(settings.always_watermark)
    assert settings.fallback_images == (
        ("products/", "fallback/é.png"),
        ("people/", "missing.png"),
        ("", "missing.png"),
    )
    assert settings.tasks == ("faces",)
    assert settings.default_quality == DefaultQuality(webp=70)
    words = (False, "presets", "auto")
    assert tuple(parse_settings({"store_derivatives": one}).store_derivatives for one in words) == words
    assert build_cache_policy(settings, refines=True).immutable_prefixes == ("a/", "b/é")
    assert build_cache_policy(settings, refines=True).refines


def test_each_limit_has_its_setting() -> None:
    names = ("max_source_bytes", "max_source_pixels", "max_source_frames", "max_scene_pixels", "max_scene_bytes")
    settings = parse_settings({name: number for number, name in enumerate(names, 1)})
    assert build_source_limits(settings) == Limits(1, 2, 3)
    found = build_upload_limits(settings)
    assert found == Limits(1, 2, 3, 4, 5)
    assert found.for_scenes == Limits(5, 4, 3, 4, 5)


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"acess_mode": "open"}, "acess_mode: unknown setting"),
        ({"access_mode": "off"}, "access_mode: must be one of guarded, open, signed, not 'off'"),
        ({"cloudflare_access_mode": "signed"}, "cloudflare_access_mode: must be one of off, guarded, open"),
        ({"max_source_frames": 0}, "max_source_frames: must be a whole number from 1 to 99999, not 0"),
        ({"max_source_frames": "7"}, "max_source_frames: must be a whole number"),
        ({"max_source_frames": True}, "max_source_frames: must be a whole number"),
        ({"max_source_frames": 7.0}, "max_source_frames: must be a whole number"),
        ({"keep_gps": "on"}, "keep_gps: must be true or false, not 'on'"),
        ({"store_derivatives": "on"}, "store_derivatives: must be true, false, presets or auto, not 'on'"),
        ({"store_derivatives": 1}, "store_derivatives: must be true, false, presets or auto"),
        ({"keep_gps": 1}, "keep_gps: must be true or false"),
        ({"clamd_address": "clamd"}, "clamd_address: must be host:port, or empty"),
        ({"clamd_address": "a:1\n"}, "clamd_address: must be host:port, or empty"),
        ({"findings_generation": "B2"}, "findings_generation: must be 1 to 8 characters of a-z and 0-9"),
        ({"tasks": []}, "tasks: must be a list of 1 to 7"),
        ({"tasks": ["faces", "faces"]}, "tasks: must be a list"),
        ({"tasks": ["cats"]}, "tasks: must be a list"),
        ({"tasks": "faces"}, "tasks: must be a list"),
        ({"tasks": [[]]}, "tasks: must be a list"),
        ({"access_mode": []}, "access_mode: must be one of"),
        ({"always_redact": "people/=faces"}, "always_redact: must be a table"),
        ({"always_redact": {"/people/": "faces"}}, "always_redact: must be a table"),
        ({"always_redact": {"a": "faces,b=text"}}, "always_redact: must be a table"),
        ({"always_redact": {"a": 1}}, "always_redact: must be a table"),
        ({"always_watermark": {"a/": "none"}}, "always_watermark: must be a table"),
        ({"always_watermark": {"/a/": "logo"}}, "always_watermark: must be a table"),
        ({"always_watermark": {"a/": "logo,middle"}}, "always_watermark: must be a table"),
        ({"always_watermark": {"a=b": "logo"}}, "always_watermark: must be a table"),
        ({"always_watermark": {"a/": "mark"}}, "always_watermark: 'a/' has a watermark that does not exist: mark"),
        ({"fallback_images": "a.png"}, "fallback_images: must be a table"),
        ({"fallback_images": {"a/": 1}}, "fallback_images: must be a table"),
        ({"fallback_images": {"a/": ""}}, "fallback_images: must be a table"),
        ({"fallback_images": {"a/": "/a.png"}}, "fallback_images: must be a table"),
        ({"fallback_images": {"a/": "x/_/w-1.webp"}}, "fallback_images: must be a table"),
        ({"fallback_images": {str(number): "a" for number in range(21)}}, "fallback_images: must be a table"),
        ({"default_quality": {"webp": 0}}, "default_quality: must be a table of jpeg, webp, avif, each a whole number"),
        ({"default_quality": {"avif": 101}}, "default_quality: must be a table"),
        ({"default_quality": {"jpeg": "80"}}, "default_quality: must be a table"),
        ({"default_quality": {"png": 80}}, "default_quality: must be a table"),
        ({"default_quality": 80}, "default_quality: must be a table"),
        ({"presets": {"A": {"w": 1}}}, "preset 'A': the name must be"),
        ({"presets": {"a": {"w": 0}}}, "preset 'a': w must be a whole number from 1 to 8192"),
        ({"presets": {"a": 1}}, "presets: 'a' must be a table, or false"),
        ({"presets": {"a": True}}, "presets: 'a' must be a table, or false"),
        ({"presets": {"cover": False}, "ingest": {"presets": ["cover"]}}, "ingest: there is no preset 'cover'"),
        ({"presets": []}, "presets: must be a table"),
        ({"ingest": {"presets": ["none"]}}, "ingest: there is no preset 'none'"),
        ({"ingest": {"preset": []}}, "ingest: unknown setting: preset"),
        ({"ingest": {"presets": "w320"}}, "ingest: presets must be a list of names"),
        ({"watermarks": {"logo": "marks/logo.png"}}, "watermarks: 'logo' must be a key below watermarks/"),
        ({"watermarks": {"logo": 1}}, "watermarks: 'logo' must be a key below watermarks/"),
    ],
)
def test_an_error_names_the_key_and_what_it_may_be(document: dict[str, object], problem: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        parse_settings(document)
    assert len(refused.value.problems) == 1
    assert refused.value.problems[0].startswith(problem)


def test_all_problems_are_in_one_error() -> None:
    with pytest.raises(InvalidSettings) as refused:
        parse_settings({"a": 1, "keep_gps": 1, "presets": {"a": {"w": 0}}})
    assert [problem.partition(":")[0] for problem in refused.value.problems] == ["a", "keep_gps", "preset 'a'"]


def test_presets_of_a_document_are_added_to_the_defaults_by_name() -> None:
    default = load_default_presets()
    presets = parse_settings({"presets": {"tiny": {"w": 16, "f": "webp"}}}).presets
    assert presets.options == {**default.options, "tiny": {"w": "16", "f": "webp"}}
    assert (presets.watermarks, presets.at_ingest) == (default.watermarks, default.at_ingest)
    replaced = parse_settings({"presets": {"cover": {"w": 16, "f": "png"}}}).presets
    assert replaced.options == {**default.options, "cover": {"w": "16", "f": "png"}}
    marks = parse_settings({"watermarks": {"brand": "watermarks/brand.svg"}}).presets
    assert marks.watermarks == {**default.watermarks, "brand": "watermarks/brand.svg"}
    assert (marks.options, marks.at_ingest) == (default.options, default.at_ingest)


def test_false_removes_a_default() -> None:
    default = load_default_presets()
    presets = parse_settings({"presets": {"w320": False, "tiny": {"w": 16}}, "watermarks": {"logo": False}}).presets
    assert presets.options.keys() == default.options.keys() - {"w320"} | {"tiny"}
    assert presets.at_ingest == default.at_ingest[1:]
    assert presets.watermarks == {}
    nothing = parse_settings({"presets": dict.fromkeys(default.options, False)}).presets
    assert (nothing.options, nothing.at_ingest) == ({}, ())


@pytest.mark.parametrize("table", ["presets", "watermarks"])
def test_false_for_no_default_is_refused_by_commands_and_ignored_by_functions(table: str) -> None:
    with pytest.raises(InvalidSettings, match="'w321' cannot be removed: there is no such default"):
        parse_settings({table: {"w321": False}})
    assert parse_settings({table: {"w321": False}}, ignore_unknown=True).presets == load_default_presets()


def test_presets_that_are_equal_have_one_hash() -> None:
    one, other = (parse_settings({"presets": {"tiny": {"w": 16, "f": "webp"}}}).presets for _ in range(2))
    assert one is not other
    assert (one, hash(one)) == (other, hash(other))


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3))


@given(st.dictionaries(st.sampled_from([one.name for one in list_setting_fields()] + ["presets", "ingest", "x"]), JSON))
def test_no_document_fails_otherwise(document: dict[str, object]) -> None:
    try:
        assert isinstance(parse_settings(document), Settings)
    except InvalidSettings as error:
        assert error.problems


# ----------------------------------------------------------------- at run time


def document_of(**settings: object) -> bytes:
    return json.dumps({"number": 1, "settings": settings}).encode()


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"settings": 1}', b"\xff", b"null"])
def test_what_is_no_document_is_invalid(body: bytes) -> None:
    with pytest.raises(InvalidSettings, match="the document is not a JSON object"):
        parse_document(body)


def test_a_function_ignores_settings_of_a_newer_version() -> None:
    assert parse_document(document_of(access_mode="open", new=1)).access_mode == "open"


def test_versions_are_listed_in_order() -> None:
    assert history_key(9) < history_key(10)


@dataclass
class Store:
    """The bucket of one test, its clock, its log lines and metrics."""

    body: bytes | Exception | None = None
    now_s: float = 1_000.0
    reads: list[str] = field(default_factory=list)
    reported: list[str] = field(default_factory=list)

    def read(self, key: str) -> bytes | None:
        self.reads.append(key)
        if isinstance(self.body, Exception):
            raise self.body
        return self.body

    def log(self, level: str, message: str, **fields: object) -> None:
        self.reported.append(message)

    def count(self, metric: str, value: float = 1, unit: str = "Count", **dimensions: str) -> None:
        self.reported.append(metric)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def live(store: Store) -> LiveSettings:
    return LiveSettings(store.read, store, clock=lambda: store.now_s)  # type: ignore[arg-type]


def test_a_document_is_read_once_a_minute(store: Store, live: LiveSettings) -> None:
    store.body = document_of(access_mode="open")
    assert live.is_due
    first = live.current()
    assert first.access_mode == "open"
    store.now_s += FRESH_S - 1
    assert not live.is_due
    assert live.current() is first
    assert store.reads == [CURRENT]
    store.now_s += 1
    assert live.is_due
    assert live.current() is first, "the same document is the same object"
    store.now_s += FRESH_S
    store.body = document_of(access_mode="signed")
    assert live.current().access_mode == "signed"
    assert len(store.reads) == 3
    assert store.reported == []


def test_a_clock_that_was_set_back_has_it_read_again(store: Store, live: LiveSettings) -> None:
    live.current()
    store.now_s -= 10
    assert live.is_due


BROKEN: list[bytes | Exception | None] = [b"{", document_of(access_mode="x"), None, Unavailable(detail="S3")]


@pytest.mark.parametrize("broken", BROKEN, ids=["no JSON", "invalid", "missing", "no answer"])
def test_the_last_good_document_stays_in_force(
    store: Store, live: LiveSettings, broken: bytes | Exception | None
) -> None:
    store.body = document_of(always_redact={"a/": "faces"})
    good = live.current()
    store.now_s += FRESH_S
    store.body = broken
    assert live.current() is good
    assert len(store.reported) == 2
    assert not live.is_due
    store.now_s += RETRY_S
    store.body = document_of()
    assert live.current() == DEFAULTS


@pytest.mark.parametrize("broken", [b"{", Unavailable(detail="S3")], ids=["no JSON", "no answer"])
def test_defaults_never_stand_in_for_a_document_that_cannot_be_read(
    store: Store, live: LiveSettings, broken: bytes | Exception
) -> None:
    store.body = broken
    with pytest.raises(Unavailable):
        live.current()
    assert live.is_due


def test_an_object_is_built_again_when_the_settings_change(store: Store, live: LiveSettings) -> None:
    built = SettingsBound(live, lambda settings: [settings.access_mode])
    first = built()
    assert built() is first
    store.now_s += FRESH_S
    assert built() is first
    store.now_s += FRESH_S
    store.body = document_of(access_mode="open")
    assert built() == ["open"]
