"""A scene of 1.2 gigapixels: made into a pyramid within limited memory, and its tiles read from S3."""
