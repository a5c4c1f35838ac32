"""S3 behind a line with a latency and a bandwidth: a server in a process of its own, in memory, on this machine."""

AT_ONCE_BUCKET = "media-at-once"
"""Here only a GET takes its time. It holds the same as every other bucket."""
