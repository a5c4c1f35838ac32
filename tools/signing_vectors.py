"""Build packages/signers/signing.json: test vectors for signers in any language, from the code that verifies.

``make docs`` computes all targets, texts and signatures of the file again; a new vector needs
``image``, ``options`` and ``expires``, or ``target`` and ``expires``. Texts of extensions are in their modules
``signed_texts``, with what verifies them. docs/reference/signatures.md describes the fields. ``python -m
tools.signing_vectors`` prints the vectors as lines, for tests in languages without a JSON parser.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from darkroom.plan.native_url import parse_url
from darkroom.plan.url_builder import build_extension_target, build_target, sign_literal, sign_query
from darkroom.signing import PURPOSES, Purpose, remove_signature, sign, sign_message
from extensions import list_extensions
from tools.generated_blocks import ROOT

FILE = ROOT / "packages" / "signers" / "signing.json"
EXTENSION = "example"
NOW_S = 1_800_000_000


def build_document() -> dict[str, object]:
    """Build the content of the file from the vectors in it."""
    found = json.loads(FILE.read_text(encoding="utf-8"))
    key = found["key"]
    return {
        "about": found["about"],
        "key": key,
        "images": [_sign_image(one, key) for one in found["images"]],
        "extensions": [_sign_extension(one, key) for one in found["extensions"]],
        "targets": [_sign_target(one["target"], one["expires"], key) for one in found["targets"]],
        "messages": [*_sign_messages(key)],
    }


def list_purposes() -> Iterator[Purpose]:
    """Yield all purposes, those of extensions last."""
    yield from PURPOSES
    yield from (Purpose(name) for one in list_extensions() for name in one.purposes)


class _OneKey(NamedTuple):
    """A source of one key."""

    key: str

    def get(self, *, refresh: bool = False) -> tuple[str, ...]:
        del refresh
        return (self.key,)


def _sign_messages(key: str) -> Iterator[dict[str, object]]:
    """Sign a text for each purpose, and the texts of extensions, which these have to accept."""
    yield from (_sign_for(purpose, "/photo.jpg?w=801", key) for purpose in list_purposes())
    for extension in list_extensions():
        if (module := extension.load("signed_texts")) is None:
            continue
        for purpose, texts in module.TEXTS.items():
            for text in texts:
                signed = _sign_for(purpose, text, key)
                module.accept(text, signed["signature"], _OneKey(key), NOW_S)
                yield signed


def _sign_for(purpose: Purpose, text: str, key: str) -> dict[str, object]:
    return {
        "purpose": purpose.name,
        "domain": purpose.domain,
        "derived": purpose.derive_key(key) != key.encode(),
        "text": text,
        "signature": sign_message(text, key, purpose),
    }


def _sign_image(one: Mapping[str, Any], key: str) -> dict[str, object]:
    image, options = one["image"], dict(sorted(one["options"].items()))
    return {"image": image, "options": options, **_sign_target(build_target(image, options), one["expires"], key)}


def _sign_extension(one: Mapping[str, Any], key: str) -> dict[str, object]:
    """Sign an image of an extension, whose path has the encoded key."""
    image, options, expires_s = one["image"], dict(sorted(one["options"].items())), one["expires"]
    target = build_extension_target(image, EXTENSION, one["options"])
    made = {"target": target, "expires": expires_s, "signed": sign_query(target, key, expires_s)}
    return {"image": image, "name": EXTENSION, "options": options, **made}


def _sign_target(target: str, expires_s: int | None, key: str) -> dict[str, object]:
    request = parse_url(target)
    signed = sign_literal(target, key, expires_s)
    return {
        "target": target,
        "expires": expires_s,
        "text": remove_signature(signed),
        "signed": signed,
        "canonical_text": request.path if expires_s is None else f"{request.path}?exp={expires_s}",
        "canonical_signature": sign(request.path, key, expires_s),
    }


def written() -> str:
    """Return the text of the file: one vector a line."""
    lists = build_document()
    parts = []
    for name, value in lists.items():
        text = json.dumps(value, ensure_ascii=False)
        if isinstance(value, list):
            text = "[\n" + ",\n".join(f"    {json.dumps(one, ensure_ascii=False)}" for one in value) + "\n  ]"
        parts.append(f"  {json.dumps(name)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def lines() -> str:
    """Return the key, and a line for each vector: target, expires, signed, and of images key, names and values.

    Those of extensions, whose target has ``/_/`` and the name, are among them. The lines of messages have the word
    ``message``, purpose, text and signature.

    Fields are separated by tabs, which no vector contains.
    """
    document: Any = build_document()
    rows = [[document["key"]]]
    for one in (*document["images"], *document["extensions"], *document["targets"]):
        pairs = [str(word) for pair in one.get("options", {}).items() for word in pair]
        image = [one["image"]] if "image" in one else []
        rows.append(
            [one["target"], "" if one["expires"] is None else str(one["expires"]), one["signed"], *image, *pairs]
        )
    rows += [["message", one["purpose"], one["text"], one["signature"]] for one in document["messages"]]
    return "".join("\t".join(row) + "\n" for row in rows)


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdout.write(lines())
