"""Uploads of a stack, and what became of each: by the index, and by what is in the buckets."""
