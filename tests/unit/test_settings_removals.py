"""What a new settings document removes from what was in force."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.settings.removals import list_removals
from darkroom.settings import TASKS

PRESET = {"w": 16, "f": "webp"}


@pytest.mark.parametrize(
    ("old", "new", "removed"),
    [
        ({}, {"presets": {"tiny": PRESET}}, []),
        ({"presets": {"tiny": PRESET}}, {"presets": {"tiny": {"w": 8}}}, []),
        ({"presets": {"tiny": PRESET}}, {}, ["preset tiny: its URLs are refused with 400"]),
        ({}, {"presets": {"cover": False}}, ["preset cover: its URLs are refused with 400"]),
        ({}, {"watermarks": {"logo": False}}, ["watermark logo: URLs with it are refused with 400"]),
        (
            {},
            {"ingest": {"presets": ["w320", "w640", "w960", "w1280", "w1920"]}},
            ["preset cover at ingest: it is rendered at its first request"],
        ),
        ({}, {"tasks": ["faces", "text"]}, [f'tasks: "{one}"' for one in TASKS[2:-1]]),
        ({"tasks": ["objects"]}, {}, ['tasks: "objects"']),
        ({"fallback_images": {"a/": "a.png", "b/": "b.png"}}, {"fallback_images": {"b/": "c.png"}}, [
            'fallback_images: "a/"'
        ]),
        ({"immutable_prefixes": ["a/", "é/"]}, {"immutable_prefixes": ["a/"]}, ['immutable_prefixes: "é/"']),
        ({"always_redact": {"people/": "faces"}}, {}, ['always_redact: "people/"']),
        (
            {"dialects": {"imgproxy": {"presets": {"a": "w:1", "b": "w:2"}}, "thumbor": {"smart": "face"}}},
            {"dialects": {"imgproxy": {"presets": {"b": "w:3"}}}},
            ['dialects: "imgproxy"."presets"."a"', 'dialects: "thumbor"'],
        ),
        (
            {
                "dialects": {
                    "sources": {"//a.example/": "a/", "//b.example/": "b/"},
                    "imgproxy": {"presets": {"t": "w:9"}},
                }
            },
            {"dialects": {"sources": {"//b.example/": "c/"}}},
            ['dialects: "sources"."//a.example/"', 'dialects: "imgproxy"'],
        ),
        (
            {"experiments": {"hero": {"variants": {"cover": 1, "social": 1, "w320": 1}}}},
            {"experiments": {"hero": {"variants": {"cover": 1, "social": 2}}}},
            ['experiments: "hero"."variants"."w320"'],
        ),
        ({"access_mode": "signed"}, {}, ['access_mode: "signed" becomes the default "guarded"']),
        ({"access_mode": "signed"}, {"access_mode": "open"}, []),
        ({"access_mode": "guarded"}, {}, []),
        ({"keep_gps": True}, {}, ["keep_gps: true becomes the default false"]),
        ({}, {"default_quality": {"webp": 40}}, []),
        ({"default_quality": {"webp": 40, "jpeg": 70}}, {"default_quality": {"webp": 40}}, ['default_quality: "jpeg"']),
        ({"of_another_version": 1, "presets": {"cover": 7}}, {}, []),
    ],
)  # fmt: skip
def test_what_is_removed(old: Mapping[str, Any], new: Mapping[str, Any], removed: list[str]) -> None:
    assert list_removals(old, new) == removed


@given(st.dictionaries(st.text("ab-", min_size=1).filter(lambda name: name[0] != "-"), st.just(PRESET), max_size=4))
def test_a_document_that_only_adds_removes_nothing(own: Mapping[str, Any]) -> None:
    assert list_removals({}, {"presets": own}) == []
    assert list_removals({"presets": own}, {"presets": own, "keep_gps": True}) == []
