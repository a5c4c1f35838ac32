"""The processors whose execution environment is tested."""

from __future__ import annotations

import pytest

from .base_image import X86_64, Processor


@pytest.fixture(scope="session", params=[X86_64], ids=lambda processor: processor.name)
def processor(request: pytest.FixtureRequest) -> Processor:
    return request.param
