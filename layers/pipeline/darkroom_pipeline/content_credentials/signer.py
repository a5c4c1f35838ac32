"""Sign derivatives: a manifest with their actions and the upload as their parent, in the file or beside it."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any, Protocol

from c2pa import Builder, C2paBuilderIntent, C2paError, C2paSignerInfo, C2paSigningAlg, Context, Reader, Signer

from darkroom.errors import Unavailable
from darkroom.image_keys import derivatives_prefix, encode_key
from darkroom.plan.model import EXTENDED_FORMATS, IMAGE_FORMATS, SOURCE_CONTENT_TYPES, Plan
from darkroom.settings import MAX_MANIFEST_BYTES
from darkroom.signing import InvalidSecret

from ..services.manifests import MANIFEST_TYPE, Parent, SignedFile
from .actions import list_actions
from .reader import OFFLINE, PARENT

MEDIA_TYPES = frozenset(SOURCE_CONTENT_TYPES[name] for name in (*IMAGE_FORMATS, *EXTENDED_FORMATS))
"""Types of derivatives that are signed."""

SMALL_BYTES = 65_536
"""Files below this size have their manifest elsewhere, if the deployment says where: in the file it takes 4 to 40 KB,
and its address 700 bytes, or up to 4 KB in a file with rights."""

_GIF = "image/gif"
"""GIFs always contain their manifest. To write its address, the library would replace the XMP block, which may have
rights, by one that it divides into sub-blocks: XMP Specification Part 3, 1.1.2, does not allow that."""

KEPT = ("c2pa.actions", "c2pa.hash.", "c2pa.ingredient")
"""Assertions of the upload that its derivatives have, by the start of their label. All others are redacted: thumbnails
show what may have been cropped or redacted since, and metadata says who, where and with what."""

_ALGORITHMS: Mapping[str, tuple[C2paSigningAlg, str, str]] = {
    "es256": (C2paSigningAlg.ES256, "sha256", "ECDSA_SHA_256"),
    "es384": (C2paSigningAlg.ES384, "sha384", "ECDSA_SHA_384"),
    "ps256": (C2paSigningAlg.PS256, "sha256", "RSASSA_PSS_SHA_256"),
}
"""Algorithms: the library's name, the hash, and the name of AWS KMS ("SigningAlgorithm" of Sign)."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The key of a deployment. ``certificates``: PEM, the signer's own first. Either ``private_key``, PKCS#8 as PEM, or
    ``kms_key_id`` is empty."""

    algorithm: str
    certificates: str
    private_key: str = ""
    kms_key_id: str = ""


def parse_signing_key(document: Mapping[str, object]) -> SigningKey:
    """Parse the secret; raises InvalidSecret, which never contains a value of it."""
    unknown = set(document) - {"algorithm", "certificates", "private_key", "kms_key_id"}
    texts = {name: value for name, value in document.items() if isinstance(value, str) and value}
    algorithm = texts.get("algorithm", "es256")
    problems = [f"unknown field {name!r}" for name in sorted(unknown)]
    problems += [f"{name}: must be a text" for name in sorted(set(document) - set(texts) - unknown)]
    if "BEGIN CERTIFICATE" not in texts.get("certificates", ""):
        problems.append("certificates: must be PEM")
    if ("private_key" in texts) is ("kms_key_id" in texts):
        problems.append("must have either private_key or kms_key_id")
    if algorithm not in _ALGORITHMS:
        problems.append(f"algorithm: must be one of {', '.join(_ALGORITHMS)}")
    if problems:
        raise InvalidSecret(problems)
    return SigningKey(algorithm, texts["certificates"], texts.get("private_key", ""), texts.get("kms_key_id", ""))


class KeySource(Protocol):
    """Where the key comes from: a :class:`darkroom.aws.secrets.Secret`. Raises Unavailable."""

    def get(self) -> SigningKey: ...


@dataclass(frozen=True)
class ManifestSigner:
    """Signs derivatives with the key in ``secret``. ``connect_kms`` returns boto3's client.

    ``base_url``: the address under which viewers get manifests that are not in their file; empty: all are.
    ``room_bytes``: what a manifest may add to any file; to a larger one up to a quarter of its size. If it would be
    more, for an upload that is made of many others, the parent is without its own manifest.
    """

    secret: KeySource
    connect_kms: Callable[[], Any]
    base_url: str = ""
    room_bytes: int = MAX_MANIFEST_BYTES

    def __call__(
        self, plan: Plan, body: bytes, content_type: str, parent: Parent, *, is_upscaled: bool = False
    ) -> SignedFile:
        """Sign ``body``, a derivative of ``plan``. Other types than :data:`MEDIA_TYPES` stay as they are.

        ``is_upscaled``: a model has enlarged it. Raises Unavailable without a valid key.
        """
        if content_type not in MEDIA_TYPES:
            return SignedFile(body)
        key, room_bytes = self.secret.get(), max(self.room_bytes, len(body) // 4)
        remote, failure = bool(self.base_url) and content_type != _GIF and len(body) < SMALL_BYTES, ""
        parents = [parent, parent._replace(manifest=b"")] if parent.manifest else [parent]
        with _translate_errors(), Context.from_dict(OFFLINE) as context, self._open(key) as signer:
            for candidate in parents:
                try:
                    document = _build_manifest(plan, candidate, is_upscaled=is_upscaled)
                    made = self._sign(context, signer, document, plan, body, content_type, candidate, remote=remote)
                except C2paError as error:  # also of a manifest that cannot be an ingredient
                    failure = str(error)
                    continue
                if remote or len(made.body) - len(body) <= room_bytes:
                    return made
        raise Unavailable(detail=f"content credentials: {failure or 'the manifest is too large'}")

    def _sign(
        self,
        context: Context,
        signer: Signer,
        document: dict[str, object],
        plan: Plan,
        body: bytes,
        content_type: str,
        parent: Parent,
        *,
        remote: bool,
    ) -> SignedFile:
        """Sign once; raises C2paError."""
        signed, token = BytesIO(), _hash_name(body)
        with Builder(document, context) as builder:
            builder.set_intent(C2paBuilderIntent.EDIT)
            if parent.manifest:
                builder.add_ingredient_from_archive(BytesIO(parent.manifest))
            if remote:
                builder.set_no_embed()
                builder.set_remote_url(f"{self.base_url}/_large/{encode_key(plan.key)}/_/{token}.c2pa")
            manifest = builder.sign(signer, content_type, BytesIO(body), signed)
        file, added_bytes = signed.getvalue(), len(signed.getvalue()) - len(body)
        if not remote:
            return SignedFile(file, f"{added_bytes}")
        return SignedFile(file, f"{added_bytes} remote", f"{derivatives_prefix(plan.key)}{token}.c2pa", manifest)

    def _open(self, key: SigningKey) -> Signer:
        algorithm, hash_name, kms_algorithm = _ALGORITHMS[key.algorithm]
        if key.private_key:
            info = C2paSignerInfo(
                alg=key.algorithm.encode(),
                sign_cert=key.certificates.encode(),
                private_key=key.private_key.encode(),
                ta_url=None,
            )
            return Signer.from_info(info)
        kms = self.connect_kms()

        def sign(data: bytes) -> bytes:
            digest = hashlib.new(hash_name, data).digest()
            named = {"KeyId": key.kms_key_id, "SigningAlgorithm": kms_algorithm}
            return bytes(kms.sign(Message=digest, MessageType="DIGEST", **named)["Signature"])

        return Signer.from_callback(sign, algorithm, key.certificates, None)


@contextmanager
def _translate_errors() -> Iterator[None]:
    try:
        yield
    except C2paError as error:
        raise Unavailable(detail=f"content credentials: {error}") from error


def _build_manifest(plan: Plan, parent: Parent, *, is_upscaled: bool) -> dict[str, object]:
    """Build the manifest, without the title and the key of the image: other keys may have the same file."""
    described = {"title": PARENT, "format": parent.content_type, "relationship": "parentOf"}
    ingredient = described | {"instance_id": f"urn:sha256:{parent.sha256}" if parent.sha256 else PARENT}
    private = list_private_assertions(parent.manifest) if parent.manifest else ()
    redacted = [
        {"action": "c2pa.redacted", "reason": "c2pa.PII.present", "parameters": {"redacted": uri}} for uri in private
    ]
    actions = {"actions": [*redacted, *list_actions(plan, is_upscaled=is_upscaled)], "allActionsIncluded": True}
    return {
        "claim_generator_info": [{"name": "Darkroom"}],
        "title": "image",
        "ingredients": [] if parent.manifest else [ingredient],
        "redactions": private,
        "assertions": [{"label": "c2pa.actions.v2", "data": actions}],
    }


@lru_cache(maxsize=4)
def list_private_assertions(manifest: bytes) -> tuple[str, ...]:
    """Return the URIs of the assertions in the manifest of an upload that its derivatives must not have.

    Raises C2paError.
    """
    source = BytesIO(manifest)
    with Context.from_dict(OFFLINE) as context, Reader(MANIFEST_TYPE, source, None, context=context) as reader:
        store = json.loads(reader.detailed_json())
    return tuple(
        f"self#jumbf=/c2pa/{label}/c2pa.assertions/{name}"
        for label, found in store["manifests"].items()
        if label != store["active_manifest"]  # that of the archive
        for name in found.get("assertion_store") or ()
        if not name.startswith(KEPT)
    )


def _hash_name(body: bytes) -> str:
    """Return a name for the manifest of ``body``: 43 characters, as the edge function requires."""
    return urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()
