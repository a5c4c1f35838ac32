"""Tests of the settings command: versions, concurrent writers, interruptions, and the edge's entries, against
MiniStack.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.settings.changes import EdgeBehind, check, put_in_force
from cli.settings.files import read_text, to_toml
from cli.settings.stacks import Target
from cli.settings.store import SettingsStore, Version, was_in_force
from darkroom.errors import ObjectChanged, Unavailable
from darkroom.services.live_settings import CURRENT, LiveSettings
from darkroom.settings import DEFAULTS, InvalidSettings, parse_settings
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.edge_store import StoreConflict, connect_edge_store
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.experiments.runs import Decision, Decisions, RunStore
from darkroom_pipeline.experiments.statistics import Bounds
from darkroom_pipeline.plan.edge_settings import MAX_UPDATES, SETTINGS_KEY
from darkroom_pipeline.services.edge_publication import KeyValueStore, differences, entries_of, publish, updates
from local.paths import ROOT
from tests import commands
from tests.commands import Commands, Done

NOW_S = 1_800_000_000.0
AT = "2027-01-15T08:00:00+00:00"
_numbers = itertools.count(1)


def has_master(key: str) -> bool:
    """The only master is there.png."""
    return key == "there.png"


@dataclass(frozen=True)
class Deployed:
    """Bucket and store of one test."""

    target: Target
    media: S3Bucket
    arn: str
    command: Commands

    def live(self) -> Any:
        """Return the settings as functions read them."""
        return LiveSettings(self.media.read).current()

    def run(self, *words: str) -> Done:
        """Run the command for this stack."""
        return self.command.run("settings", *words)


@pytest.fixture
def deployed(
    aws: Callable[[str], Any],
    aws_environment: dict[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> Deployed:
    number = next(_numbers)
    s3 = create_client("s3", aws_environment)
    s3.create_bucket(Bucket=f"settings-{number}")
    arn = aws("cloudfront").create_key_value_store(Name=f"settings-{number}")["KeyValueStore"]["ARN"]
    media, edge = S3Bucket(s3, f"settings-{number}"), connect_edge_store(arn, aws_environment)
    outputs = {"MediaBucketName": media.bucket, "FindingsStoreArn": arn}
    command = commands.local(aws_environment, tmp_path, capsys, outputs)
    return Deployed(Target(SettingsStore(media, lambda: NOW_S), edge, {}, has_master), media, arn, command)


def test_without_a_document_all_settings_are_defaults(deployed: Deployed) -> None:
    assert deployed.live() == DEFAULTS
    assert deployed.target.documents.current() == Version()
    assert list(deployed.target.documents.history()) == []


def test_versions_are_written_with_their_history(deployed: Deployed) -> None:
    documents = deployed.target.documents
    first = documents.write({"access_mode": "open"}, replaces=documents.current(), by="ada", reason="a test")
    assert (first.number, first.previous, first.at, first.by, first.reason) == (1, 0, AT, "ada", "a test")
    assert documents.current() == first
    assert deployed.live().access_mode == "open"
    second = documents.write({"access_mode": "signed"}, replaces=first, by="bob")
    assert (second.number, second.previous) == (2, 1)
    assert [version.table for version in documents.history()] == [{"access_mode": "open"}, {"access_mode": "signed"}]
    assert documents.version(1) == replace(first, etag="")
    assert documents.version(3) is None


def test_of_two_writers_one_is_refused_and_loses_nothing(deployed: Deployed) -> None:
    documents = deployed.target.documents
    seen = documents.current()
    won = documents.write({"access_mode": "open"}, replaces=seen, by="ada")
    with pytest.raises(ObjectChanged):
        documents.write({"access_mode": "signed"}, replaces=seen, by="bob")
    assert documents.current() == won
    third = documents.write({"keep_gps": True}, replaces=won, by="bob")
    versions = {version.number: version for version in documents.history()}
    assert [versions[number].by for number in sorted(versions)] == ["ada", "bob", "bob"]
    assert was_in_force(versions, documents.current()) == {1, 3}
    assert third.number == 3


def test_a_write_that_stopped_in_between_is_repeated(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    documents, put = deployed.target.documents, S3Bucket.put

    def stop_at_current(vault: S3Bucket, key: str, *rest: Any, **options: Any) -> str:
        if key == CURRENT:
            raise Unavailable
        return put(vault, key, *rest, **options)

    monkeypatch.setattr(S3Bucket, "put", stop_at_current)
    with pytest.raises(Unavailable):
        documents.write({"access_mode": "open"}, replaces=Version(), by="ada")
    monkeypatch.undo()
    assert deployed.live() == DEFAULTS
    assert documents.write({"access_mode": "open"}, replaces=Version(), by="bob").number == 2
    assert deployed.live().access_mode == "open"


def test_an_answer_that_was_lost_is_no_conflict(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when S3 receives a PUT that botocore repeats after the first one succeeded."""
    documents, put = deployed.target.documents, S3Bucket.put

    def put_twice(vault: S3Bucket, *rest: Any, **options: Any) -> str:
        put(vault, *rest, **options)
        return put(vault, *rest, **options)

    monkeypatch.setattr(S3Bucket, "put", put_twice)
    assert documents.write({"access_mode": "open"}, replaces=Version(), by="ada").number == 1
    assert len(list(documents.history())) == 1


def test_an_invalid_document_is_not_written(deployed: Deployed) -> None:
    with pytest.raises(InvalidSettings):
        deployed.target.documents.write({"a": 1}, replaces=Version(), by="ada")
    assert list(deployed.target.documents.history()) == []


# ----------------------------------------------------------------- the edge


PRESETS = {f"p{number}": {"w": 100 + number, "h": 7} for number in range(40)}


def test_the_edge_has_the_entries_of_the_settings(deployed: Deployed) -> None:
    edge = deployed.target.edge
    assert put_in_force(deployed.target, {"presets": PRESETS}, by="ada").is_new
    many = entries_of(parse_settings({"presets": PRESETS}))
    assert len(many) > MAX_UPDATES
    assert edge.read() == many
    edge.update({"findings": "2"}, [])
    assert put_in_force(deployed.target, {"access_mode": "signed"}, by="ada").version.number == 2
    assert edge.read() == {**entries_of(parse_settings({"access_mode": "signed"})), "findings": "2"}


def test_a_rotation_of_the_keys_is_found_and_published(deployed: Deployed) -> None:
    keys = ["the first signing key"]
    target = replace(deployed.target, read_keys=lambda: keys)
    with pytest.raises(ValueError, match="signing keys of ASCII characters"):
        put_in_force(deployed.target, {"private_prefixes": ["clients/"]}, by="ada")
    put_in_force(target, {"private_prefixes": ["clients/"]}, by="ada")
    assert json.loads(target.edge.read()["keys"]) == keys
    keys[:] = ["the second signing key", "the first signing key"]
    assert check(target).stale == ["keys"]
    assert check(target, repair=True).repaired == 1
    assert json.loads(target.edge.read()["keys"]) == keys


class Stopping:
    """A store that stops after some updates."""

    def __init__(self, store: KeyValueStore, after: int) -> None:
        self.store, self.left = store, after

    def read(self) -> Mapping[str, str]:
        return self.store.read()

    def update(self, puts: Mapping[str, str], deletes: Sequence[str]) -> None:
        if not self.left:
            raise StoreConflict
        self.left -= 1
        self.store.update(puts, deletes)


@pytest.mark.slow
@pytest.mark.parametrize("after", [0, 1])
def test_an_interrupted_apply_is_reported_and_repaired(deployed: Deployed, after: int) -> None:
    stopping = replace(deployed.target, edge=Stopping(deployed.target.edge, after))
    with pytest.raises(EdgeBehind, match="check --repair"):
        put_in_force(stopping, {"presets": PRESETS}, by="ada")
    assert SETTINGS_KEY not in deployed.target.edge.read(), "the edge goes by nothing that is not whole"
    checked = deployed.run("check")
    assert checked.code == 1
    assert SETTINGS_KEY in checked.out.rpartition(": ")[2].strip().split(", ")
    if after:
        assert deployed.run("check", "--repair").code == 0
    else:
        assert not put_in_force(deployed.target, {"presets": PRESETS}, by="ada").is_new
    assert deployed.run("check", "--json").document == {"version": 1, "missing": [], "stale": [], "repaired": 0}
    assert deployed.target.documents.current().number == 1


@dataclass
class Deciding:
    """A store; during its first update, the monitor stops the variant ``wide`` of the experiment ``hero``."""

    store: KeyValueStore
    runs: RunStore
    is_decided: bool = False

    def read(self) -> Mapping[str, str]:
        return self.store.read()

    def update(self, puts: Mapping[str, str], deletes: Sequence[str]) -> None:
        if not self.is_decided:
            made = Decision("wide", "tall", NOW_S, Bounds(0.5, 0.9), {})
            self.runs.write_decisions(HERO, Decisions((made,)))
            self.store.update({"exp-hero": HERO.format_entry(["wide"])}, [])
            self.is_decided = True
        self.store.update(puts, deletes)


EXPERIMENT = {
    "presets": {"wide": {"w": 320}, "tall": {"h": 320}},
    "experiments": {"hero": {"variants": {"wide": 1, "tall": 1}}},
}
[HERO] = parse_settings(EXPERIMENT).experiments


@pytest.mark.parametrize("repairs", [False, True])
def test_a_decision_during_a_publication_is_kept(deployed: Deployed, repairs: bool) -> None:
    target = replace(deployed.target, edge=Deciding(deployed.target.edge, RunStore(deployed.media)))
    if repairs:
        target.documents.write(EXPERIMENT, replaces=Version(), by="ada")
        assert check(target, repair=True).is_consistent
    else:
        put_in_force(target, EXPERIMENT, by="ada")
    assert target.edge.read()["exp-hero"] == HERO.format_entry(["wide"])
    assert check(target).stale == []


KEYS = st.sampled_from([SETTINGS_KEY, "findings", "presets", *(f"preset-{n}" for n in range(120))])
ENTRIES = st.dictionaries(KEYS, st.sampled_from("ab"), max_size=120)


@given(ENTRIES, ENTRIES)
def test_updates_are_within_the_limit_and_in_order(held: dict[str, str], entries: dict[str, str]) -> None:
    entries.pop("findings", None)
    found, calls = dict(held), list(updates(held, entries))
    for puts, deletes in calls:
        assert 0 < len(puts) + len(deletes) <= MAX_UPDATES
        found = {key: value for key, value in {**found, **puts}.items() if key not in deletes}
    assert differences(found, entries) == ({}, [])
    assert found.get("findings") == held.get("findings")
    switched = [number for number, (puts, _) in enumerate(calls) if SETTINGS_KEY in puts]
    if switched:
        assert all(not puts for puts, _ in calls[switched[0] + 1 :])
        assert all(not deletes for _, deletes in calls[: switched[0]])


# ----------------------------------------------------------------- the command


@pytest.mark.slow
def test_the_commands_work_as_a_user_of_aws_runs_them(
    deployed: Deployed, aws_environment: dict[str, str], tmp_path: Path
) -> None:
    """A process, a stack by its name, and only the packages that ``make`` installs: the store takes signed calls."""
    outputs = {"MediaBucketName": deployed.media.bucket, "FindingsStoreArn": deployed.arn}
    name = commands.deploy(aws_environment, outputs)
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}

    def run(*words: str) -> str:
        stack = ("--stack", name, "--region", "us-east-1")
        done = subprocess.run(
            [ROOT / "darkroom", *words, *stack], env=kept | aws_environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    file = tmp_path / "mine.toml"
    file.write_text('access_mode = "open"\n')
    assert "Version 1 is in force" in run("settings", "apply", str(file), "--yes")
    file.write_text("")
    assert "Version 2 is in force" in run("settings", "apply", str(file), "--yes")
    assert "Version 3 is in force" in run("settings", "rollback", "1")
    deployed.target.edge.update({SETTINGS_KEY: "signed"}, [])
    assert run("settings", "check", "--repair") == "edge entries changed: 1\n"
    assert run("findings", "activate", "b2") == "b2\n"
    assert deployed.target.edge.read() == {**entries_of(parse_settings({"access_mode": "open"})), "findings": "b2"}


@pytest.mark.slow
def test_the_command_from_the_first_version_to_a_rollback(
    deployed: Deployed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('access_mode = "open"\n[presets.tiny]\nw = 16\n')
    assert deployed.run("show").out == "# no document: all settings are defaults\n"
    assert '+access_mode = "open"' in deployed.run("diff", str(file)).out
    assert deployed.run("apply", str(file), "--by", "ada", "--reason", "first").code == 0
    assert deployed.live().presets.options == DEFAULTS.presets.options | {"tiny": {"w": "16"}}
    assert "Version 1 has these settings already" in deployed.run("apply", str(file)).out

    editor = tmp_path / "editor.py"
    editor.write_text("import sys, pathlib\np = pathlib.Path(sys.argv[1])\np.write_text(p.read_text() + 'h = 9\\n')\n")
    monkeypatch.setenv("VISUAL", f"{sys.executable} {editor}")
    assert deployed.run("edit", "--by", "bob").code == 0
    assert deployed.live().presets.options["tiny"] == {"w": "16", "h": "9"}
    applied = deployed.run("rollback", "1", "--by", "ada", "--json").document
    assert (applied["version"], applied["is_new"]) == (3, True)
    assert deployed.live().presets.options["tiny"] == {"w": "16"}
    lines = deployed.run("history").lines
    assert [line.split()[0] for line in lines] == ["1", "2", "3"]
    assert lines[0].endswith("ada  first")
    assert lines[2].endswith("ada  as version 1 (in force)")
    assert "h = 9" in deployed.run("show", "2").out
    assert deployed.run("show", "--json").document["settings"]["access_mode"] == "open"
    assert deployed.run("check").code == 0


def test_what_a_file_removes_is_listed_and_asked_for(
    deployed: Deployed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "first.toml", tmp_path / "second.toml"
    first.write_text('moderation_policy = "block"\n[presets.tiny]\nw = 16\n[always_redact]\n"people/" = "faces"\n')
    second.write_text("[presets]\ncover = false\n")
    removed = [
        "preset cover: its URLs are refused with 400",
        "preset tiny: its URLs are refused with 400",
        'moderation_policy: "block" becomes the default "off"',
        'always_redact: "people/"',
    ]
    assert deployed.run("diff", str(first), "--json").document["removed"] == []
    assert deployed.run("apply", str(first)).code == 0
    shown = deployed.run("diff", str(second))
    assert shown.code == 0
    assert shown.lines[-5:] == ["Removed:", *(f"  {one}" for one in removed)]
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    refused = deployed.run("apply", str(second))
    assert refused.code == 130
    assert [one in refused.err for one in removed] == [True] * 4
    assert deployed.target.documents.current().number == 1
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert deployed.run("apply", str(second)).code == 0
    assert deployed.live().presets.options.keys() == DEFAULTS.presets.options.keys() - {"cover"}
    monkeypatch.undo()
    assert deployed.run("rollback", "1", "--yes", "--json").document["removed"] == []
    assert deployed.run("apply", str(second), "--yes", "--json").document["removed"] == removed


@pytest.mark.slow
def test_a_wrong_file_changes_nothing_and_every_mistake_is_reported(deployed: Deployed, tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text('{"access_mode": "closed", "keep": 1}')
    done = deployed.run("apply", str(file))
    assert done.code == 2
    assert "access_mode: must be one of" in done.err
    assert "keep: unknown setting" in done.err
    assert len(done.err.splitlines()) == 1
    file.write_text("{")
    assert deployed.run("apply", str(file)).code == 2
    assert deployed.run("rollback", "7").code == 3
    assert deployed.run("apply", str(tmp_path / "none.toml")).code == 2
    assert deployed.target.documents.current() == Version()
    assert deployed.target.edge.read() == {}


@pytest.mark.parametrize(
    ("table", "parameters", "missing"),
    [
        ({"always_redact": {"a/": "faces"}}, {"InferenceMode": "off"}, 1),
        ({"moderation_policy": "block"}, {"InferenceMode": "off"}, 1),
        ({"moderation_policy": "block"}, {"InferenceMode": "lambda"}, 0),
        ({"iiif_access_mode": "open"}, {"Dialects": "off"}, 1),
        ({"iiif_access_mode": "open"}, {"Dialects": "on"}, 0),
        ({"iiif_access_mode": "off"}, {"Dialects": "off"}, 0),
        ({"sign_derivatives": True}, {"ContentCredentials": "off"}, 1),
        ({"sign_derivatives": True}, {"ContentCredentials": "on"}, 0),
        ({"sign_derivatives": True}, {}, 0),
        ({"manifest_base_url": "https://img.example"}, {"ContentCredentials": "off"}, 0),
        ({"fallback_images": {"": "there.png", "a/": "there.png"}}, {}, 0),
        ({"fallback_images": {"": "there.png", "a/": "missing.png"}}, {}, 1),
        ({"fallback_images": {"": "there.png"}, "always_redact": {"the": "faces"}}, {}, 1),
        ({"fallback_images": {"": "there.png"}, "always_watermark": {"the": "logo"}}, {}, 1),
    ],
)
def test_what_the_stack_was_not_deployed_with_is_refused(
    table: dict[str, object], parameters: dict[str, str], missing: int
) -> None:
    target = Target(None, None, parameters, has_master)  # type: ignore[arg-type]
    assert len(target.missing(parse_settings(table))) == missing


VALUES = st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])) | st.lists(st.text("aé\"'"))
TABLES = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    st.recursive(VALUES, lambda inner: st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)),
)


@pytest.mark.slow
@given(TABLES)
def test_what_is_written_as_toml_is_read_again(table: dict[str, object]) -> None:
    assert read_text(to_toml(table)) == table


def test_publishing_twice_changes_nothing(deployed: Deployed) -> None:
    entries = entries_of(DEFAULTS)
    assert publish(deployed.target.edge, entries) == len(entries)
    assert publish(deployed.target.edge, entries) == 0


@pytest.mark.slow
def test_a_broken_document_is_replaced_by_a_version_of_the_history(deployed: Deployed, tmp_path: Path) -> None:
    for number, mode in enumerate(("open", "signed"), start=1):
        (tmp_path / "settings.toml").write_text(f'access_mode = "{mode}"\n')
        assert deployed.run("apply", str(tmp_path / "settings.toml")).code == 0
        assert deployed.live().access_mode == mode
        assert deployed.target.documents.current().number == number
    deployed.media.put(CURRENT, b"{", headers={}, metadata={})
    lines = deployed.run("history").lines
    assert [line[0] for line in lines[:2]] == ["1", "2"]
    assert lines[2].startswith("No version is in force")
    assert deployed.run("rollback", "2").code == 0
    assert deployed.live().access_mode == "signed"
    assert deployed.target.documents.current().number == 3
