"""Re-encoding of stored derivatives in the background. The core does not import this package."""
