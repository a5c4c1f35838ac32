"""GIF (GIF89a)."""
