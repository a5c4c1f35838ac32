"""Compare thumbor URLs with a running thumbor."""
