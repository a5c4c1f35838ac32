"""Run models with onnxruntime: prepare inputs and parse outputs.

Only numpy and onnxruntime are required. The endpoint adds engines for text and for detectors (``endpoint/engines.py``).

Since 1.29 onnxruntime for Linux sends telemetry to Microsoft, unless it is disabled before the import, as here.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
