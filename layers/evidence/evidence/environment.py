"""Environment variables of the functions of this package."""

from __future__ import annotations

from darkroom.environment import MasterEnvironment


class CustodyEnvironment(MasterEnvironment):
    """Variables of the custody function."""

    uploads_bucket: str
    custody_bucket: str
    audit_bucket: str


class EvidenceEnvironment(CustodyEnvironment):
    """Variables of the evidence function. ``vector_table`` is empty where near copies cannot be searched.

    ``analysis_timeout_s`` is the longest time for an analysis. With reading the files it has to be below the 29 s that
    the HTTP API waits for.
    """

    index_table: str
    signing_keys_arn: str
    vector_table: str = ""
    inference_mode: str = "off"
    analysis_timeout_s: float = 22.0
