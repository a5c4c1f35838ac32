"""Re-encode derivatives in the background that were encoded fast for a waiting client."""
