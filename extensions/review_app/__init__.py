"""Review app, an extension."""
