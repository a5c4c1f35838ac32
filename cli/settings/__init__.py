"""Settings of a deployment: the versioned document, and the edge's entries generated from it."""
