"""Segments and subsegments of the work: what both observers have in common, and the light one's way to make them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from ...errors import DarkroomError, code_of
from .daemon import Daemon, Document
from .headers import VARIABLE, TraceHeader, current_header, read_header

LOCAL, REMOTE = "local", "remote"
_NAME_MARKS = str.maketrans("", "", "?;*()!$~^<>")
"""What the SDK takes out of names."""


class Span(Protocol):
    """A stage that is over: its name, and its beginning and end in unix time."""

    @property
    def name(self) -> str: ...
