"""A test environment with an endpoint, for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.component.aws import sagemaker
from tests.component.aws.sagemaker import Runtime

from .harness import InferEnvironment


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with sagemaker.serving() as serving:
        yield serving


@pytest.fixture
def env(aws: Callable[[str], Any], runtime: Runtime) -> InferEnvironment:
    return InferEnvironment.build(aws, runtime)
