"""S3 behind a line with a latency and a bandwidth: a server in a process of its own, in memory, on this machine."""
