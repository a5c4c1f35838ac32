"""Train tags of one's own: review manifests, fit a linear head over the embedding, write it as a model."""

import os

# Before NumPy is imported: products with a column for each tag gain nothing by threads, which wait by spinning. On a
# busy machine with two cores, they took ten times the CPU time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
