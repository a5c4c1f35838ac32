"""DICOM files that packages ship: those of pydicom, and of pydicom-data, which is pinned by hash and not installed."""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

from pathlib import Path

from filelock import FileLock

from cli.models.fetch_models import read_from_wheel
from local import tool_venvs
from local.paths import ROOT

FOLDER = ROOT / ".local" / "dicom"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")

OF_PYDICOM = (
    *("CT_small.dcm", "MR_small.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm"),
    *("MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "JPEG2000.dcm", "JPGExtended.dcm"),
    *("693_J2KI.dcm", "image_dfl.dcm", "examples_overlay.dcm"),
)
OF_PYDICOM_DATA = (
    *("693_UNCR.dcm", "RG1_UNCR.dcm", "RG3_J2KR.dcm", "MR2_J2KI.dcm", "MR-SIEMENS-DICOM-WithOverlays.dcm"),
    *("JPEG-LL.dcm", "JPGLosslessP14SV1_1s_1f_8b.dcm", "emri_small_jpeg_ls_lossless.dcm", "eCT_Supplemental.dcm"),
    *("mlut_18.dcm", "vlut_04.dcm"),
)
"""Grey images: CT, MR, radiographs, ultrasound, enhanced objects, a modality LUT and a VOI LUT."""


def install_layer() -> None:
    """Make the packages of the layer importable, after an installation if they are missing. Raises StartError."""
    tool_venvs.make_importable("medical")


def list_files() -> list[Path]:
    """Return all files, after a download of missing ones. Raises CannotFetch."""
    install_layer()
    import pydicom.data

    shipped = Path(pydicom.data.__file__).parent / "test_files"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with FileLock(FOLDER / ".lock"):
        if not all((FOLDER / name).is_file() for name in OF_PYDICOM_DATA):
            _extract()
    return [*(shipped / name for name in OF_PYDICOM), *(FOLDER / name for name in OF_PYDICOM_DATA)]


def _extract() -> None:
    bodies = read_from_wheel(REQUIREMENTS, [f"data_store/data/{name}" for name in OF_PYDICOM_DATA])
    for name, body in zip(OF_PYDICOM_DATA, bodies, strict=True):
        (FOLDER / name).write_bytes(body)
