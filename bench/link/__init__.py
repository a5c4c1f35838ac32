"""S3 with a latency and a bandwidth: an in-memory server process on this machine."""
