"""Sources beside the bucket of the stack: HTTPS origins and further buckets."""
