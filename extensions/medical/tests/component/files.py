"""DICOM files: those that the pydicom package ships, and small ones that tests make."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from medical.decode import OF_CAPTURES
from medical.profile import is_sop_class
from medical.text import SECONDARY_CAPTURE


def shipped(name: str) -> Path:
    """Return a file of the package."""
    found = get_testdata_file(name, download=False)
    assert isinstance(found, str), name
    return Path(found)


def make(pixels: np.ndarray | None = None, **attributes: Any) -> Dataset:
    """Return a CT image with ``pixels`` of 16 bits, by default a ramp, and further ``attributes`` by keyword."""
    values = np.arange(64 * 48, dtype=np.uint16).reshape(48, 64) if pixels is None else pixels
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = generate_uid()
    dataset.StudyInstanceUID = generate_uid()
    dataset.SeriesInstanceUID = generate_uid()
    dataset.Modality = "CT"
    dataset.BurnedInAnnotation = "NO"
    dataset.InstanceNumber = 1
    dataset.Rows, dataset.Columns = values.shape[-2:] if values.ndim < 4 else values.shape[1:3]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8 * values.dtype.itemsize
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = 0
    if values.ndim == 3:
        dataset.NumberOfFrames = len(values)
    dataset.PixelData = values.tobytes()
    dataset["PixelData"].VR = "OW"
    for name, value in attributes.items():
        setattr(dataset, name, value)
    return dataset


def save(dataset: Dataset) -> bytes:
    """Return the file."""
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def believed(path: Path) -> bytes:
    """Return a file whose header says that it has no text, in a modality and a SOP class whose header is believed."""
    dataset = dcmread(path)
    if not is_sop_class(str(dataset.get("SOPClassUID"))) or f"{dataset.SOPClassUID}.".startswith(
        f"{SECONDARY_CAPTURE}."
    ):
        dataset.SOPClassUID = CTImageStorage
    for name in OF_CAPTURES:
        dataset.pop(name, None)
    dataset.BurnedInAnnotation = "NO"
    dataset.Modality = dataset.Modality if dataset.Modality in ("CT", "MR", "NM", "CR", "RTDOSE") else "CT"
    file = io.BytesIO()
    dataset.save_as(file)
    return file.getvalue()
