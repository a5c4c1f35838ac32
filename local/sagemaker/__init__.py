"""The SageMaker runtime API in front of containers on this machine, as far as ``InvokeEndpoint`` goes.

What MiniStack lacks: production variants with weights, the container's errors in SageMaker's words, its limits.
"""
