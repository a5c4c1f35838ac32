"""The stacks beside that of template.yaml, with the parameters that a deployment passes."""

from __future__ import annotations

from collections.abc import Mapping

from tools.stack_parameters import (
    BuildParameters,
    build_common_parameters,
    build_documents_parameters,
    build_evidence_parameters,
    build_map_tiles_parameters,
    build_medical_parameters,
    build_review_parameters,
)

FURTHER: Mapping[str, BuildParameters] = {
    "textures": build_common_parameters,
    "map-tiles": build_map_tiles_parameters,
    "medical": build_medical_parameters,
    "documents": build_documents_parameters,
    "evidence": build_evidence_parameters,
    "review": lambda *of_stack: build_review_parameters(*of_stack, cdn_url="https://images.example.com"),
}
"""From a deployed stack to the parameters of each further one."""
