"""Uploads of formats that masters cannot have: ingest converts them before it decodes them.

Each format has a header reader, which enforces the limits on bytes alone. Decoders run in a process of their own with
limits and without system calls that open files or sockets (:mod:`.sandbox`).
"""
