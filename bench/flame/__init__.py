"""A profile of warm requests as a flame graph: recorded by py-spy from outside, drawn here."""
