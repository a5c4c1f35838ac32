"""Scenes cut in parallel: a state machine asks for their strips one by one, and each may be made again at any time."""
