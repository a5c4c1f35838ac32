"""The everyday matrix: kinds of images × what Darkroom does with an image."""
