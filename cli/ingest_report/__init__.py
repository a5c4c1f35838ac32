"""Upload files to a stack and report the outcome of each, by index and buckets."""
