"""A release: a folder of archives and packaged templates, or the address of one."""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from cli.errors import CommandError

MANIFEST, CHECKSUMS = "release.json", "SHA256SUMS"
FETCH_S = 60.0
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class BadRelease(CommandError):
    """A release cannot be read, or is damaged. The message names the file."""


@dataclass(frozen=True, slots=True)
class Release:
    """A release at ``place``, a folder or an address that ends with a slash.

    ``templates`` are paths by processor and by stack: "" is the first one, others are flags of extensions.
    ``checksums`` are SHA-256 by path.
    """

    place: str
    version: str
    templates: Mapping[str, Mapping[str, str]]
    checksums: Mapping[str, str]

    def read(self, path: str) -> bytes:
        """Return a file. Raises BadRelease unless it is the one that was released."""
        checksum = self.find_checksum(path)
        data = _fetch(self.place, path)
        if hashlib.sha256(data).hexdigest() != checksum:
            raise BadRelease(f"{self.place}{path} is damaged: its SHA-256 is not that of {CHECKSUMS}")
        return data

    def find_checksum(self, path: str) -> str:
        """Return the SHA-256 of a file in hexadecimal digits. Raises BadRelease for one that is none of the release."""
        if path not in self.checksums:
            raise BadRelease(f"{CHECKSUMS} of {self.place} does not list {path}")
        return self.checksums[path]

    def read_template(self, arch: str, name: str) -> dict[str, Any]:
        """Return the packaged template of a stack for a processor. Raises BadRelease if the release has none."""
        return dict(json.loads(self.read(self.find_template(arch, name))))

    def find_template(self, arch: str, name: str) -> str:
        """Return the path of the template of a stack for a processor. Raises BadRelease if the release has none."""
        if arch not in self.templates:
            raise BadRelease(f"{self.place} has no layers for {arch}, only for {', '.join(sorted(self.templates))}")
        if name not in self.templates[arch]:
            known = ", ".join(sorted(filter(None, self.templates[arch])))
            raise BadRelease(f"{self.place} has no extension {name}; it has {known}")
        return self.templates[arch][name]


def open_release(place: str) -> Release:
    """Return the release in a folder or at an address. Raises BadRelease."""
    if "://" not in place:
        place = str(Path(place).resolve())
    place = place.rstrip("/") + "/"
    try:
        lines = _fetch(place, CHECKSUMS).decode("ascii").splitlines()
        checksums = {path: digest for digest, _, path in (line.partition("  ") for line in lines)}
        data = _fetch(place, MANIFEST)
        if hashlib.sha256(data).hexdigest() != checksums.get(MANIFEST):
            raise BadRelease(f"{place}{MANIFEST} is damaged: its SHA-256 is not that of {CHECKSUMS}")
        document = json.loads(data)
        return Release(place, str(document["version"]), document["templates"], checksums)
    except (UnicodeDecodeError, ValueError, KeyError, TypeError) as error:
        raise BadRelease(f"{place} is no release of Darkroom: {MANIFEST} or {CHECKSUMS} cannot be read") from error


def _fetch(place: str, path: str) -> bytes:
    try:
        if "://" not in place:
            return (Path(place) / path).read_bytes()
        address = urlsplit(place)
        if address.scheme != "https" and not (address.scheme == "http" and address.hostname in _LOOPBACK):
            raise BadRelease(f"{place} is neither a folder nor an https address")
        with urllib.request.urlopen(place + quote(path), timeout=FETCH_S) as answer:  # noqa: S310 - the scheme is checked
            return bytes(answer.read())
    except FileNotFoundError as error:
        raise BadRelease(f"{place} has no {path}: it is no release of Darkroom, or not a complete one") from error
    except (urllib.error.URLError, OSError) as error:
        reason = f"status {error.code}" if isinstance(error, urllib.error.HTTPError) else str(error)
        raise BadRelease(f"{place}{path} cannot be read: {reason}") from error
