"""Read and validate the Content Credentials in an upload, without requests to other servers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from io import BytesIO
from typing import Any

from c2pa import Builder, C2paError, Context, Reader

from darkroom.errors import TooSlow, Unavailable
from darkroom.imaging.formats.metadata.image_metadata import clean_text, parse_source_type
from darkroom.services.deadline import CpuLimit, Deadline

from ..services.manifests import UploadCredentials

INVALID, EXPIRED, UNREADABLE, UNCHECKED = "invalid", "expired", "unreadable", "unchecked"
"""States besides ``valid`` and ``trusted``: the file or the manifest was changed after it was signed, or breaks a rule;
signature and hashes agree, but no time stamp says that the certificate was valid; it cannot be parsed; it takes too
long."""

LIMIT = CpuLimit(cpu_s=5.0, wall_s=10.0)
"""For one upload. The manifest of a camera takes some milliseconds, one with hundreds of ingredients a second."""

MAX_MANIFEST_BYTES = 4 * 1024**2
"""Largest manifest that is kept, with those of its ingredients and their thumbnails."""

OFFLINE = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "builder": {"thumbnail": {"enabled": False}},
}
"""Settings of the library: it requests nothing, and adds no thumbnails."""

_PURPOSES = "1.3.6.1.5.5.7.3.4\n1.3.6.1.5.5.7.3.36\n1.3.6.1.4.1.62558.2.1"
"""Extended key usages that a certificate may have: emailProtection, documentSigning, and the C2PA's own
(C2PA specification 2.2, "X.509 Certificates")."""

AI_TYPES = frozenset({"trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "compositeSynthetic"})
"""Digital source types of IPTC for images that a model has made, or parts of them."""

PARENT = "upload"
"""The id of the upload in its archive, and in the manifests of derivatives."""

_UNTRUSTED = "signingCredential.untrusted"
_EXPIRED = frozenset({"signingCredential.expired", "claimSignature.outsideValidity"})
"""Failures of a certificate at the wrong time, which say nothing of the file (C2PA specification 2.2, "Failure
codes")."""
_MAX_ENTRIES = 20


def read_credentials(data: bytes, media_type: str, anchors: bytes = b"") -> UploadCredentials:
    """Read the Content Credentials in the file ``data``.

    ``anchors``: certificates of trusted issuers (PEM). The document has ``state`` and, as far as they are stated:
    ``issuer`` (the organisation in the certificate), ``generator``, ``signed_at`` (of a time stamp), ``ai`` (whether a
    model has made the image or parts of it), ``actions``, ``problems`` (codes of the C2PA) and ``digital_source_type``.
    """
    try:
        return Deadline(LIMIT).run(partial(_read, data, media_type, anchors))
    except (TooSlow, Unavailable):
        return UploadCredentials({"state": UNCHECKED})
    except (C2paError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return UploadCredentials({"state": UNREADABLE})


def _read(data: bytes, media_type: str, anchors: bytes) -> UploadCredentials:
    trust = {"trust": {"user_anchors": anchors.decode(), "trust_config": _PURPOSES}} if anchors else {}
    with Context.from_dict(OFFLINE | trust) as context:
        with Reader(media_type, BytesIO(data), None, context=context) as reader:
            store, state = json.loads(reader.json()), str(reader.get_validation_state()).lower()
            results = reader.get_validation_results() or {}
        document = describe_store(store, state, results)
        manifest = _archive(data, media_type, context)
    return UploadCredentials(document, manifest if len(manifest) <= MAX_MANIFEST_BYTES else b"")


def _archive(data: bytes, media_type: str, context: Context) -> bytes:
    """Return the manifest of ``data`` as an ingredient, in the form that derivatives can take it from."""
    archive = BytesIO()
    parent = {"title": PARENT, "relationship": "parentOf", "instance_id": PARENT, "label": PARENT}
    with Builder({}, context) as builder:
        builder.add_ingredient(parent, media_type, BytesIO(data))
        builder.write_ingredient_archive(PARENT, archive)
    return archive.getvalue()


def describe_store(store: Mapping[str, Any], state: str, results: Mapping[str, Any]) -> dict[str, object]:
    """Describe a manifest store, as the library reports it, and its validation. All texts in it are untrusted."""
    active = store["manifests"][store["active_manifest"]]
    signature: Mapping[str, Any] = active.get("signature_info") or {}
    generator: Mapping[str, Any] = next(iter(active.get("claim_generator_info") or ()), {})
    source_types = list(_list_source_types(store["manifests"].values()))
    own = next(_list_source_types([active]), "")
    problems = [] if state == "trusted" else [code for code in _list_failures(results) if code != _UNTRUSTED]
    if state == INVALID and problems and _EXPIRED.issuperset(problems):
        state = EXPIRED
    stated: dict[str, object] = {
        "issuer": clean_text(signature.get("issuer") or ""),
        "generator": clean_text(" ".join(str(generator.get(part) or "") for part in ("name", "version"))),
        "signed_at": clean_text(signature.get("time") or ""),
        "actions": _list_distinct(action.get("action") for action in _list_actions(active)),
        "problems": _list_distinct(problems),
        "digital_source_type": own if state in ("valid", "trusted") else "",
    }
    described = {name: value for name, value in stated.items() if value}
    return {"state": state, "ai": not AI_TYPES.isdisjoint(source_types)} | described


def _list_actions(manifest: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for assertion in manifest.get("assertions") or ():
        if str(assertion.get("label")).startswith("c2pa.actions"):
            yield from assertion["data"].get("actions") or ()


def _list_source_types(manifests: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the digital source types of all actions, without the address of their vocabulary."""
    for manifest in manifests:
        for action in _list_actions(manifest):
            if name := parse_source_type(str(action.get("digitalSourceType") or "")):
                yield name


def _list_failures(results: Mapping[str, Any]) -> Iterator[object]:
    """Yield the codes of failures, also those of ingredients that were not failures when they were added."""
    deltas = (delta.get("validationDeltas") or {} for delta in results.get("ingredientDeltas") or ())
    for found in (results.get("activeManifest") or {}, *deltas):
        yield from (failure.get("code") for failure in found.get("failure") or ())


def _list_distinct(found: Iterable[object]) -> list[str]:
    """Return the first few different texts among ``found``."""
    return list(dict.fromkeys(text for one in found if (text := clean_text(str(one or "")))))[:_MAX_ENTRIES]
