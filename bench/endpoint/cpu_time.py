"""Measure the CPU time of an image in the endpoint's models, by task: it does not depend on what else the machine does.

``python -m bench.endpoint.cpu_time`` prepares images and runs itself in the endpoint's environment.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from ..paths import ROOT

IMAGES = 3
TASK_SETS = (
    *("faces", "text", "moderation", "similarity", "tags,likeness", "faces,moderation,similarity"),
    "faces,text,moderation,similarity,tags,likeness",
)
"""The last are the tasks of the default settings."""


def main() -> int:
    """Run the command. Return its exit status."""
    from local import tool_venvs
    from local.paths import MODELS
    from local.progress import Progress

    from .batching import prepare_images

    asyncio.run(tool_venvs.ensure_one(tool_venvs.ENDPOINT, Progress()))
    with TemporaryDirectory() as folder:
        files = [Path(folder) / f"{number}.jpg" for number in range(IMAGES)]
        for file, image in zip(files, prepare_images(IMAGES), strict=True):
            file.write_bytes(image)
        python = tool_venvs.python_path(tool_venvs.ENDPOINT)
        command = [str(python), "-m", "bench.endpoint.cpu_time", str(MODELS), *map(str, files)]
        variables = os.environ | {"PYTHONPATH": f"{ROOT / 'layers' / 'darkroom'}:{ROOT / 'layers' / 'analysis'}:{ROOT}"}
        return subprocess.run(command, check=False, cwd=ROOT, env=variables).returncode


def measure(models: Path, files: Sequence[Path]) -> None:
    """Print the mean CPU time of an image for each set of tasks, in seconds."""
    from darkroom_analysis.models.catalogue import load_catalogue
    from darkroom_analysis.models.model_set import ModelSet
    from endpoint.decode import decode_image
    from endpoint.engines import ENDPOINT_ENGINES

    loaded = ModelSet(load_catalogue(ROOT / "endpoint" / "models.toml"), models, engines=ENDPOINT_ENGINES)
    images = [image for file in files if (image := decode_image(file.read_bytes())) is not None]
    for tasks in TASK_SETS:
        loaded.detect_batch(images[:1], [tasks.split(",")])
        started_s = time.process_time()
        for image in images:
            loaded.detect_batch([image], [tasks.split(",")])
        print(f"{tasks}: {(time.process_time() - started_s) / len(images):.2f} s")


if __name__ == "__main__":
    if sys.argv[1:]:
        measure(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
    else:
        sys.exit(main())
