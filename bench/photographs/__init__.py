"""Compare bytes at equal scores over many photographs."""
