"""Throughput of the model server, with batches and without."""
