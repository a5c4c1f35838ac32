"""Looking at pictures with onnxruntime: what goes into each model, and what its answer means.

Only numpy and onnxruntime are needed; text alone needs rapidocr besides, which the endpoint has.

Since 1.29 onnxruntime for Linux tells Microsoft about the models that are run, unless it is told not to before it is
imported. What looks at people's pictures tells nobody.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
