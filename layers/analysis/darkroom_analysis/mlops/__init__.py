"""Model operations: sampling, drift, shadow tests, canary rollouts, the golden set and the model registry.

The core never imports this package: ``functions/*/app.py`` injects what it needs.
"""
