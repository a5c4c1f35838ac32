"""Cold starts from a disc: what a contender reads of it, and dropping that from the system's cache before a start."""
