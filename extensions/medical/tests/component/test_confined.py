"""The decoder of medical images in its confined process."""

from __future__ import annotations

from pathlib import Path

import pytest

from medical.process import _LIMITS
from tests.confined_probe import check_confined, supports_probe, take_over


@pytest.mark.skipif(not supports_probe(), reason="numbers of system calls")
def test_a_decoder_that_is_taken_over_reaches_nothing(tmp_path: Path) -> None:
    check_confined(take_over("medical.decode", [], _LIMITS, tmp_path, outputs=2))
