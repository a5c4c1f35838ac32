"""PNG (W3C PNG, third edition), animated ones included."""
