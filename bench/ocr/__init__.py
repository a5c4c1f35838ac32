"""Recognition of text on degraded documents, its order, and personal data: ``python -m bench.ocr``."""

PLAIN, EVENED, LEVELLED, PREPARED = "plain", "evened", "levelled", "prepared"
"""Readers: each image once as it is; once with its light evened out; once level; and as the endpoint reads it."""
