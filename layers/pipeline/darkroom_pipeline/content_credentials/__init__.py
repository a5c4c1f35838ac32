"""Content Credentials of the C2PA: read at ingest, and signed derivatives. The core does not import this package."""
