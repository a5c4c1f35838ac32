"""Review the tags of a day's manifests: a sheet for people, and the manifest of what they reviewed.

A sheet has a line for each image: its key, a tab, and its tags, separated by commas. The reviewed manifest is an
augmented manifest as SageMaker Ground Truth writes it, with ``"human-annotated": "yes"``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from darkroom.findings import TAGS
from darkroom.image_keys import HELD_MASTERS, ObjectNames
from darkroom_analysis.mlops.manifests import FOLDER, TEST, TRAIN
from darkroom_pipeline.aws.s3 import S3Bucket

REVIEWED = "reviewed.manifest"
"""Name of the reviewed manifest, beside those that the monitor wrote; it expires with them."""

METADATA = f"{TAGS}-metadata"
MAX_TAG_CHARACTERS = 64

type Line = Mapping[str, Any]
"""A line of a manifest."""


@dataclass(frozen=True, slots=True)
class ReviewedImage:
    """An image with tags by a person. ``sha256`` is that of the upload that was reviewed, empty if unknown.

    ``origin`` is the manifest, for messages.
    """

    key: str
    tags: frozenset[str]
    sha256: str
    origin: str


@dataclass(frozen=True)
class MasterUris:
    """The keys of images by the URIs of their masters."""

    media_bucket: str
    master_bucket: str
    names: ObjectNames

    def key(self, uri: str) -> str:
        """Return the key of the master ``uri``. Raises ValueError for an image of another deployment."""
        for bucket, names in ((self.master_bucket, self.names), (self.media_bucket, HELD_MASTERS)):
            base = f"s3://{bucket}/"
            if uri.startswith(base + names.prefix):
                return names.key(uri.removeprefix(base))
        raise ValueError(f"{uri} is no master of this deployment.")


def list_days(media: S3Bucket) -> dict[str, list[str]]:
    """Return the names of the manifests of each day, oldest day first. Raises Unavailable."""
    days: dict[str, list[str]] = {}
    for page in media.list_pages(FOLDER):
        for one in page:
            day, _, name = one.key.removeprefix(FOLDER).partition("/")
            if name.endswith(".manifest"):
                days.setdefault(day, []).append(name)
    return dict(sorted(days.items()))


def read_day(media: S3Bucket, day: str) -> list[Line]:
    """Return the lines of both manifests of ``day``. Raises ValueError if there are none, Unavailable."""
    lines: list[Line] = []
    for name in (TRAIN, TEST):
        key = f"{FOLDER}{day}/{name}.manifest"
        if (body := media.read(key)) is None:
            raise ValueError(f"There is no {key}: `darkroom manifests list` shows the days that have manifests.")
        lines += parse_lines(body.decode(), key)
    return lines


def parse_lines(text: str, origin: str) -> list[Line]:
    """Parse the lines of a manifest. Raises ValueError that names the line."""
    lines = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                document = json.loads(line)
                str(document["source-ref"])
            except (ValueError, TypeError, KeyError) as error:
                raise ValueError(f"{origin}, line {number} is no line of a manifest: {error!r}") from error
            lines.append(document)
    return lines


def format_sheet(lines: Iterable[Line], uris: MasterUris) -> str:
    """Return a sheet with the tags that the model found, to be corrected. Raises ValueError for an invalid line."""
    return "".join(f"{uris.key(line['source-ref'])}\t{', '.join(_tags(line))}\n" for line in lines)


def parse_sheet(text: str) -> dict[str, tuple[str, ...]]:
    """Return the tags of each key, lower-case and sorted. Raises ValueError that names the line."""
    sheet: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(text.split("\n"), 1):  # a key may have U+2028, where ``splitlines`` splits
        if not line.strip():
            continue
        key, tab, names = line.partition("\t")
        if not tab or "\t" in names:
            raise ValueError(f"line {number}: expected a key, a tab, and tags separated by commas")
        if key in sheet:
            raise ValueError(f"line {number}: {key} has a line already")
        try:
            sheet[key] = tuple(sorted(parse_tags(names.split(","))))
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error
    return sheet


def parse_tags(names: Iterable[str]) -> frozenset[str]:
    """Return ``names`` in lower case without spaces around them. Raises ValueError for one that is no tag."""
    tags = frozenset(name.strip().casefold() for name in names) - {""}
    for tag in sorted(tags):
        if len(tag) > MAX_TAG_CHARACTERS or not tag.isprintable():
            raise ValueError(f"a tag has at most {MAX_TAG_CHARACTERS} printable characters, unlike {tag!r}")
    return tags


def apply_review(
    lines: Sequence[Line],
    sheet: Mapping[str, Sequence[str]],
    uris: MasterUris,
    digests: Mapping[str, str],
    by: str,
    now_s: float,
) -> list[Line]:
    """Return the lines of images in ``sheet`` with its tags, marked as reviewed; others are left out.

    ``digests`` are the SHA-256 of uploads by key. Raises ValueError for a key that the manifests do not have.
    """
    known = {uris.key(line["source-ref"]): line for line in lines}
    if unknown := sorted(sheet.keys() - known.keys()):
        raise ValueError(f"The manifests of the day do not have {unknown[0]}.")
    created = datetime.fromtimestamp(now_s, UTC).isoformat(timespec="seconds").removesuffix("+00:00")
    return [
        {"source-ref": known[key]["source-ref"]}
        | {
            TAGS: list(range(len(tags))),
            METADATA: {
                "class-map": {str(number): tag for number, tag in enumerate(tags)},
                "type": "groundtruth/image-classification-multilabel",
                "human-annotated": "yes",
                "creation-date": created,
                "job-name": f"darkroom/review/{by}",
                "sha256": digests.get(key, ""),
            },
        }
        for key, tags in sheet.items()
    ]


def parse_reviewed(text: str, origin: str, key_of: Callable[[str], str]) -> list[ReviewedImage]:
    """Parse a reviewed manifest, of ``darkroom manifests review`` or of a labelling job for the attribute ``tags``.

    Raises ValueError for a line that no person has reviewed, or with an invalid label.
    """
    images = []
    for number, line in enumerate(parse_lines(text, origin), 1):
        metadata = line.get(METADATA, {})
        if metadata.get("human-annotated") != "yes":
            raise ValueError(
                f"{origin} is not reviewed: the tags of its image {number} are not by a person. Correct them with "
                "`darkroom manifests sheet` and `darkroom manifests review`."
            )
        try:
            tags = parse_tags(_tags(line))
        except (KeyError, TypeError) as error:
            raise ValueError(f"{origin}: image {number} has no valid tags: {error!r}") from error
        except ValueError as error:
            raise ValueError(f"{origin}: image {number}: {error}") from error
        images.append(ReviewedImage(key_of(line["source-ref"]), tags, str(metadata.get("sha256", "")), origin))
    return images


def _tags(line: Line) -> list[str]:
    """Return the tags of a line, none without a label."""
    names = line.get(METADATA, {}).get("class-map", {})
    return [str(names[str(number)]) for number in line.get(TAGS, ())]
