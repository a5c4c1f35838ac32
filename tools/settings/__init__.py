"""The settings of a deployment: the document with its history, and the edge's entries that are made from it."""
