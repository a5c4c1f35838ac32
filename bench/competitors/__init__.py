"""What is measured: one folder a contender, each with what it is in one sentence."""
