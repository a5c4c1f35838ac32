"""The similar function as deployed, called as its HTTP API calls it, with a set of images."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

from darkroom.findings import LIKENESS, SIMILARITY
from darkroom_pipeline.aws.record import READY, MasterRef, Record, to_item
from darkroom_pipeline.aws.tag_index import TagIndex
from darkroom_pipeline.aws.vectors import StoredVector, VectorStore
from tests.component.services.functions import Function, load
from tests.component.services.upload.api import Answer, token_for

MODEL = "sscd/1"


NOTHING_SET: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Deployment:
    """The function and its resources."""

    function: Function
    environment: dict[str, str]
    dynamodb: Any
    stores: Mapping[str, VectorStore]
    tags: TagIndex

    def with_environment(self, settings: Mapping[str, Any] = NOTHING_SET, /, **changes: str) -> Deployment:
        """The same tables under a function that was deployed otherwise, or has other settings."""
        environment = self.environment | changes
        return replace(self, function=load("similar", environment, settings), environment=environment)

    def ask(self, key: str, token: str | None = None, **query: str) -> Answer:
        return self.call({"key": key}, f"Bearer {token or token_for('trips/')}", query)

    def ask_tagged(self, tag: str, token: str | None = None, **query: str) -> Answer:
        return self.call({"tag": tag}, f"Bearer {token or token_for('trips/')}", query)

    def call(self, parameters: dict[str, str], authorization: str | None, query: dict[str, str]) -> Answer:
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": "GET /_similar/{key+}" if "key" in parameters else "GET /_tagged/{tag+}",
            "headers": {} if authorization is None else {"authorization": authorization},
            "pathParameters": parameters,
            "isBase64Encoded": False,
        }
        with mock.patch.dict(os.environ, self.environment):  # where the signing keys' credentials are looked for
            made = self.function.invoke(event | ({"queryStringParameters": query} if query else {}))
        return Answer(made["statusCode"], made["headers"], json.loads(made["body"]))

    def image(
        self,
        key: str,
        vector: Sequence[float] = (),
        *,
        perceptual_hash: str = "",
        etag: str = "m1",
        analysed_etag: str = "",
        model: str = MODEL,
        state: str = READY,
        likeness: Sequence[float] = (),
        tags: Mapping[str, float] = NOTHING_SET,
    ) -> None:
        """An image that is served, with its entries in the stores: embeddings, a hash, tags, or nothing."""
        master = MasterRef(etag=f'"{etag}"', sequencer="1") if state == READY else MasterRef()
        facts = {"perceptual_hash": perceptual_hash} if perceptual_hash else {}
        record = Record(key, state, "1", facts=facts, master=master, sha256="ab")
        self.dynamodb.put_item(TableName=self.environment["INDEX_TABLE"], Item=to_item(record))
        if vector or perceptual_hash:
            texts = (analysed_etag or etag, perceptual_hash, "1", model)
            self.stores[SIMILARITY].put(StoredVector(key, tuple(vector), *texts))
        if likeness:
            self.stores[LIKENESS].put(StoredVector(key, tuple(likeness), analysed_etag or etag, "", "1", model))
        if tags:
            self.tags.put(key, tags, analysed_etag or etag)

    def forget(self, key: str) -> None:
        """Its record alone: an embedding may stay a while longer."""
        self.dynamodb.delete_item(TableName=self.environment["INDEX_TABLE"], Key={"pk": {"S": f"image#{key}"}})


def keys(answer: Answer) -> list[str]:
    """Of the results, in their order."""
    assert answer.status == 200, answer
    return [result["key"] for result in answer.document["results"]]
