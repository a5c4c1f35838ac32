"""Benchmarks of the deployed handler and of its peers: ``python -m bench``. See bench/README.md."""
