"""Looking at pictures with onnxruntime: what goes into each model, and what its answer means.

Only numpy and onnxruntime are needed; text alone needs rapidocr besides, which the endpoint has.
"""
