"""A stand-in for S3 Vectors: indexes over HTTP, exact search, the service's limits and filters.

No emulator has its queries (moto 5.2 puts and gets alone). Written after the S3 user guide, "Limitations and
restrictions" and "Metadata filtering"; boto3 itself holds requests against the service's model before it sends them.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import sqrt, sumprod
from typing import Any

INDEX_ARN = "arn:aws:s3vectors:us-east-1:000000000000:bucket/darkroom-vectors/index/pictures"
LIKENESS_ARN = "arn:aws:s3vectors:us-east-1:000000000000:bucket/darkroom-vectors/index/likeness"
MAX_FILTERED_BYTES, MAX_METADATA_BYTES, MAX_TOP_K = 2048, 40 * 1024, 100

type Document = dict[str, Any]


class Refused(Exception):
    """A request that the service answers with a ValidationException."""


@dataclass
class VectorIndex:
    """The index."""

    dimension: int
    unfiltered: tuple[str, ...]
    kept: dict[str, Document] = field(default_factory=dict)
    asked: list[tuple[str, Document]] = field(default_factory=list)

    def answer(self, operation: str, request: Document) -> Document:
        """The answer to one request; raises Refused."""
        self.asked.append((operation, request))
        match operation:
            case "PutVectors":
                return self._put(request["vectors"])
            case "GetVectors":
                found = [self.kept[key] for key in request["keys"] if key in self.kept]
                wanted = {"key": True, "data": request.get("returnData"), "metadata": request.get("returnMetadata")}
                return {"vectors": [{name: vector[name] for name in vector if wanted[name]} for vector in found]}
            case "DeleteVectors":
                for key in request["keys"]:
                    self.kept.pop(key, None)
                return {}
            case "QueryVectors":
                return self._query(request)
        raise Refused(operation)

    def _put(self, vectors: list[Document]) -> Document:
        for vector in vectors:
            numbers, metadata = vector["data"]["float32"], vector.get("metadata", {})
            demand(len(numbers) == self.dimension, f"dimension must be {self.dimension}")
            demand(any(numbers), "a zero vector has no cosine distance")
            filtered = {name: value for name, value in metadata.items() if name not in self.unfiltered}
            demand(len(json.dumps(filtered)) <= MAX_FILTERED_BYTES, "filterable metadata over 2048 bytes")
            demand(len(json.dumps(metadata)) <= MAX_METADATA_BYTES, "metadata over 40 KB")
            demand(all(value not in ("", []) for value in metadata.values()), "empty metadata")
        self.kept.update((vector["key"], vector) for vector in vectors)
        return {}

    def _query(self, request: Document) -> Document:
        demand(1 <= request["topK"] <= MAX_TOP_K, "topK must be between 1 and 100")
        numbers = request["queryVector"]["float32"]
        found = [v for v in self.kept.values() if self._holds(request.get("filter", {}), v.get("metadata", {}))]
        ranked = sorted(
            ({**v, "distance": distance(numbers, v["data"]["float32"])} for v in found), key=lambda v: v["distance"]
        )
        names = ("key", "distance", "metadata")
        answers = [{name: v[name] for name in names if name in v} for v in ranked[: request["topK"]]]
        return {"distanceMetric": "cosine", "vectors": answers}

    def _holds(self, condition: Document, metadata: Mapping[str, Any]) -> bool:
        if "$and" in condition:
            return all(self._holds(part, metadata) for part in condition["$and"])
        for name, wanted in condition.items():
            demand(name not in self.unfiltered, f"{name} is not filterable")
            [(operator, value)] = wanted.items()
            demand(operator in ("$eq", "$exists"), f"{operator} is not known here")
            if operator == "$exists":
                if (name in metadata) != value:
                    return False
                continue
            found = metadata.get(name)
            if not (value in found if isinstance(found, list) else value == found):
                return False
        return True


def distance(a: list[float], b: list[float]) -> float:
    return 1 - sumprod(a, b) / sqrt(sumprod(a, a) * sumprod(b, b))


def demand(holds: object, otherwise: str) -> None:
    if not holds:
        raise Refused(otherwise)


@contextmanager
def serving(indexes: Mapping[str, VectorIndex]) -> Iterator[str]:
    """The service with ``indexes`` by their ARNs, on a free port; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                demand(request.get("indexArn") in indexes, "no such index")
                status, answer = 200, indexes[request["indexArn"]].answer(self.path.strip("/"), request)
            except Refused as refusal:
                status, answer = 400, {"message": str(refusal), "__type": "ValidationException"}
            body = json.dumps(answer).encode()
            self.send_response(status)
            if status == 400:
                self.send_header("x-amzn-ErrorType", "ValidationException")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
