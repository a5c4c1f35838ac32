"""Environment variables of the functions of this package."""

from __future__ import annotations

from darkroom.environment import MasterEnvironment, VectorEnvironment


class CustodyEnvironment(MasterEnvironment):
    """Variables of the custody function."""

    uploads_bucket: str
    custody_bucket: str
    audit_bucket: str


class EvidenceEnvironment(CustodyEnvironment, VectorEnvironment):
    """Variables of the evidence function.

    ``analysis_timeout_s`` is the longest time for an analysis. With reading the files it has to be below the 29 s that
    the HTTP API waits for.
    """

    index_table: str
    signing_keys_arn: str
    inference_mode: str = "off"
    analysis_timeout_s: float = 22.0
