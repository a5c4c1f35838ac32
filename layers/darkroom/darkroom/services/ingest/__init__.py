"""Flow 2: what is uploaded becomes a clean, indexed master with its first derivatives, or is refused with a reason."""
