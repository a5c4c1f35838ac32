"""Memory and time of the decoders of converted formats."""
