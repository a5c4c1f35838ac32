"""Service-level objectives, the cost model and the rules of automatic remedies. Pure."""
