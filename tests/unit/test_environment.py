"""Typed environments: values by their annotations, defaults, and every mistake in one message."""

from __future__ import annotations

import pytest

from darkroom import environment
from darkroom.environment import (
    Environment,
    IngestEnvironment,
    InvalidEnvironment,
    MasterEnvironment,
    PurgeEnvironment,
    TransformEnvironment,
)

PURGE = {
    "MEDIA_BUCKET": "media",
    "INDEX_TABLE": "index",
    "PURGE_QUEUE_URL": "https://sqs/purge",
    "PURGE_DLQ_URL": "https://sqs/dead",
    "MAX_RECEIVES": "5",
    "DISTRIBUTION_ID": "E1",
}


def test_values_have_the_types_of_their_fields() -> None:
    found = PurgeEnvironment({**PURGE, "HAS_DIALECTS": "on", "OTHER": "x"})
    assert (found.media_bucket, found.max_receives, found.has_dialects) == ("media", 5, True)
    assert found.variables == {**PURGE, "HAS_DIALECTS": "on", "OTHER": "x"}
    assert not hasattr(found, "other")


@pytest.mark.parametrize(("text", "on"), [("on", True), ("off", False), ("", False), ("true", False)])
def test_only_on_is_on(text: str, on: bool) -> None:
    assert PurgeEnvironment({**PURGE, "HAS_DIALECTS": text}).has_dialects is on


def test_a_missing_variable_has_its_default_and_an_empty_one_is_empty() -> None:
    assert MasterEnvironment({"MEDIA_BUCKET": "media"}).source_prefix == "masters/"
    assert MasterEnvironment({"MEDIA_BUCKET": "media", "SOURCE_PREFIX": ""}).source_prefix == ""


@pytest.mark.parametrize(
    ("source", "bucket"), [({}, "media"), ({"SOURCE_BUCKET": ""}, "media"), ({"SOURCE_BUCKET": "s"}, "s")]
)
def test_masters_are_in_the_media_bucket_unless_another_is_named(source: dict[str, str], bucket: str) -> None:
    assert MasterEnvironment({"MEDIA_BUCKET": "media", **source}).master_bucket == bucket


def test_every_mistake_is_named_at_once() -> None:
    given = {name: text for name, text in PURGE.items() if name not in ("INDEX_TABLE", "MEDIA_BUCKET")}
    with pytest.raises(InvalidEnvironment) as caught:
        PurgeEnvironment({**given, "MAX_RECEIVES": "five"})
    assert str(caught.value) == "MEDIA_BUCKET is missing; INDEX_TABLE is missing; MAX_RECEIVES is no int: 'five'"


def test_an_environment_is_immutable() -> None:
    found = PurgeEnvironment(PURGE)
    with pytest.raises(AttributeError, match="media_bucket"):
        found.media_bucket = "other"
    assert found.media_bucket == "media"


def test_fields_of_all_bases_are_read() -> None:
    assert {"media_bucket", "source_prefix", "stack_name", "lease_s"} <= IngestEnvironment.fields().keys()
    assert "index_table" not in TransformEnvironment.fields()


def test_every_annotation_has_a_parser_and_every_default_its_type() -> None:
    kinds = {"str": str, "int": int, "float": float, "bool": bool}
    classes = [one for one in vars(environment).values() if isinstance(one, type) and issubclass(one, Environment)]
    assert len(classes) > 13
    for one in classes:
        for name, kind in one.fields().items():
            assert isinstance(getattr(one, name, kinds[kind]()), kinds[kind]), (one, name)
