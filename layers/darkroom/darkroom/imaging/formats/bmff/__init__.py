"""AVIF and HEIC: formats in the boxes of ISO/IEC 14496-12."""
