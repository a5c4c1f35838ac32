"""The entries of the edge's KeyValueStore."""

from __future__ import annotations

import json

import pytest

from darkroom.plan.presets import MAX_NAMES_LENGTH, Presets, parse_presets_toml
from darkroom.plan.variants import AccessMode
from darkroom_pipeline.plan.edge_settings import (
    MAX_ENTRY_BYTES,
    build_edge_entries,
    find_stale_keys,
    format_settings,
)

PRESETS = parse_presets_toml(
    '[presets.cover]\nw=256\nh=256\nfit="cover"\nf="jpg"\n[presets.w640]\nwidth=640\n[presets.save]\ndl="é.jpg"\n'
)


def test_entries_hold_the_settings_and_each_preset() -> None:
    entries = build_edge_entries(AccessMode.GUARDED, "people/=faces", PRESETS)
    assert list(entries)[-1] == "settings"
    assert entries["settings"] == "guarded people/=faces"
    refusal = json.loads(entries["refusal-bad-option.name"])
    assert refusal["detail"] == "preset: there is no preset '%s'; there are cover, w640, save"
    assert refusal["option"] == "preset"
    assert json.loads(entries["preset-cover"]) == {"w": "256", "h": "256", "fit": "cover", "f": "jpeg"}
    unsigned = {key for key in entries if key.startswith("unsigned-")}
    assert len(unsigned) == 2
    assert "unsigned-fit-cover_h-256_w-256.jpeg" in unsigned
    assert all(len((key + value).encode()) <= MAX_ENTRY_BYTES for key, value in entries.items())


def test_an_unmodified_preset_takes_no_storage() -> None:
    presets = Presets({"plain": {"f": "auto", "fit": "contain", "dpr": "1"}}, {})
    assert build_edge_entries(AccessMode.GUARDED, "", presets)["preset-plain"] == '{"dpr":"1"}'


def test_settings_without_rules_are_the_mode_alone() -> None:
    assert format_settings(AccessMode.SIGNED, "") == "signed"
    entries = build_edge_entries(AccessMode.OPEN, "", Presets({}, {}))
    assert entries["settings"] == "open"
    assert all(key == "settings" or key.startswith("refusal-") for key in entries)
    assert "there are none" in entries["refusal-bad-option.name"]


def test_rules_that_are_not_understood_are_refused() -> None:
    with pytest.raises(ValueError, match="these rules are not like"):
        build_edge_entries(AccessMode.OPEN, "/people=faces", PRESETS)


def test_entries_over_the_limits_are_rejected() -> None:
    rules = ",".join(f"folder-{number}/=faces" for number in range(60))
    with pytest.raises(ValueError, match="'settings' exceeds the limits"):
        build_edge_entries(AccessMode.GUARDED, rules, PRESETS)


def test_many_presets_are_listed_in_part() -> None:
    many = Presets({f"preset-{number}": {"w": "100"} for number in range(200)}, {})
    entries = build_edge_entries(AccessMode.GUARDED, "", many)
    detail = json.loads(entries["refusal-bad-option.name"])["detail"]
    assert "; there are preset-0, preset-1, " in detail
    assert detail.endswith(", ...")
    assert MAX_NAMES_LENGTH - 20 < len(detail) < MAX_NAMES_LENGTH + 60


def test_what_settings_no_longer_write_is_stale() -> None:
    entries = build_edge_entries(AccessMode.GUARDED, "", PRESETS)
    held = [*entries, "findings", "preset-gone", "unsigned-w-100.auto", "other"]
    assert find_stale_keys(held, entries) == ["preset-gone", "unsigned-w-100.auto"]
