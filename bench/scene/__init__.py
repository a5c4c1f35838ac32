"""A large image of 1.2 gigapixels: build its pyramid within limited memory, and read its tiles from S3."""
