"""The model server: SageMaker's container contract over :mod:`darkroom_analysis.models`."""
