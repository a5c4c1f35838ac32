"""SageMaker's APIs in front of model servers on this machine.

They add what MiniStack lacks: production variants with weights, container errors in SageMaker's format, its limits, and
the model registry, stored in files.
"""
