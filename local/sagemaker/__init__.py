"""SageMaker's APIs in front of containers on this machine: pictures are looked at, and models released, through them.

What MiniStack lacks: production variants with weights, the container's errors in SageMaker's words, its limits; the
model registry, over files.
"""
