"""DICOM images: ingest without patient data, and rendering by DICOMweb. The package ``darkroom`` never imports it."""
