"""Train tags of one's own: review manifests, fit a linear head over the embedding, write it as a model."""
