"""What ``sam publish`` reads in a packaged template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .modules import PACKAGES

APPLICATION = "AWS::ServerlessRepo::Application"


def describe_application(template: Mapping[str, Any], version: str) -> dict[str, Any]:
    """Return the template with metadata for the AWS Serverless Application Repository."""
    described = {
        "Name": "darkroom",
        "Description": template["Description"],
        "Author": "darkroom",
        "SpdxLicenseId": "MIT",
        "LicenseBody": (PACKAGES.parent / "LICENSE").read_text(encoding="utf-8"),
        "Labels": ["images", "cloudfront", "libvips"],
        "SemanticVersion": version,
    }
    return {**template, "Metadata": {**template.get("Metadata", {}), APPLICATION: described}}
