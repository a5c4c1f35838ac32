"""dialects, served."""
