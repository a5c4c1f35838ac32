"""A small golden set for the local stack: packaged photographs with labels."""

from __future__ import annotations

import tomllib
from pathlib import Path

from cli.golden import MANIFEST, PREFIX, put
from darkroom.findings import Region
from darkroom_analysis.mlops.golden_set import GoldenImage
from darkroom_pipeline.aws.s3 import S3Bucket

LABELS = Path(__file__).with_name("golden.toml")


def ensure_golden_set(media: S3Bucket, folder: Path) -> int:
    """Upload the golden set with images from ``folder`` unless there is one; return the number of images."""
    if media.head(PREFIX + MANIFEST) is not None:
        return 0
    return put(media, ((golden, (folder / golden.key).read_bytes()) for golden in label_samples()))


def label_samples() -> list[GoldenImage]:
    """Return every photograph with its labels, by file name."""
    rows = tomllib.loads(LABELS.read_text(encoding="utf-8"))["image"]
    return [
        GoldenImage(
            row["file"],
            tuple(Region(*box) for box in row["faces"]) if "faces" in row else None,
            row.get("unsafe"),
            row.get("text"),
            tuple(row["tags"]) if "tags" in row else None,
        )
        for row in rows
    ]
