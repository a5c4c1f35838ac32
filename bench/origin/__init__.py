"""The local CDN in front of the benchmark's S3: latency of images that are stored but not cached."""

from __future__ import annotations

import sys

from ..paths import ROOT

sys.path.insert(0, str(ROOT / "layers" / "darkroom"))
