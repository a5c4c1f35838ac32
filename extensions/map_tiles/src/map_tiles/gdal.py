"""GDAL's configuration: ranged reads of TIFFs in one S3 bucket, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import rasterio
from rasterio.session import DummySession

DRIVER = "GTiff"
"""The only driver that opens a source. A VRT or a file of a network driver under a TIFF's name is refused."""

BLOCK_CACHE_BYTES = 64 * 2**20
"""Of decoded blocks, in each process. rasterio passes the number on as bytes; GDAL's own variable would mean MB."""

FILE_CACHE_BYTES = 8 * 2**20
DOWNLOAD_CACHE_BYTES = 32 * 2**20
HEADER_BYTES = 64 * 1024
"""Read at first: the directories of most Cloud-Optimized GeoTIFFs."""

OPTIONS: Mapping[str, Any] = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",  # no listing, and no files beside the raster
    "GDAL_PAM_ENABLED": "NO",  # no .aux.xml
    "GDAL_CACHEMAX": BLOCK_CACHE_BYTES,
    "GDAL_NUM_THREADS": "1",
    "GDAL_INGESTED_BYTES_AT_OPEN": HEADER_BYTES,
    "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": "YES",
    "GDAL_HTTP_MULTIPLEX": "YES",
    "GDAL_HTTP_MAX_RETRY": 2,
    "GDAL_HTTP_RETRY_DELAY": 0.2,
    "GDAL_HTTP_TIMEOUT": 10,
    "GDAL_HTTP_CONNECTTIMEOUT": 2,
    "VSI_CACHE": True,
    "VSI_CACHE_SIZE": FILE_CACHE_BYTES,
    "CPL_VSIL_CURL_CACHE_SIZE": DOWNLOAD_CACHE_BYTES,
    "CPL_VSIL_CURL_USE_HEAD": "NO",
    "GTIFF_VIRTUAL_MEM_IO": "NO",
    "PROJ_NETWORK": "OFF",
    "OSR_DEFAULT_AXIS_MAPPING_STRATEGY": "TRADITIONAL_GIS_ORDER",
}
"""Source of the names: gdal.org, "Configuration options"."""


def s3_options(bucket: str, environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return options for rasters of ``bucket`` at the S3 endpoint of ``environment``, by default AWS's.

    GDAL takes the credentials from the variables of the process. Nothing is cached for a file that is closed: an object
    that is replaced is read again.
    """
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1"
    found: dict[str, Any] = {
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,  # GDAL prefers that of the process to AWS_REGION
        "CPL_VSIL_CURL_NON_CACHED": f"/vsis3/{bucket}/",
    }
    if endpoint := environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL"):
        scheme, _, host = endpoint.rstrip("/").partition("://")
        found |= {
            "AWS_S3_ENDPOINT": host,
            "AWS_HTTPS": "YES" if scheme == "https" else "NO",
            "AWS_VIRTUAL_HOSTING": "FALSE",
        }
    return found


def open_environment(further: Mapping[str, Any]) -> rasterio.Env:
    """Return a context manager in which GDAL has these options and no session of boto3."""
    return rasterio.Env(session=DummySession(), **OPTIONS, **further)
