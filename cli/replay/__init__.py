"""Compare the findings of two model versions on the same stored images."""
