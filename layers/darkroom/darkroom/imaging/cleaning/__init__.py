"""What stays of a file without its metadata, one module a format."""
