"""The local CDN before the bench's S3: what a viewer waits for where a picture is stored, but not in any cache."""

from __future__ import annotations

import sys

from ..paths import ROOT

sys.path.insert(0, str(ROOT / "layers" / "darkroom"))
