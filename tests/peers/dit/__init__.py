"""DIT's edits beside the same calls of sharp."""
