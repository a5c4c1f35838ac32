"""Large images so narrow that levels of their last strip are much smaller than a tile."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import pyvips

from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom_pipeline.imaging.pyramid.assemble import write_pyramid
from darkroom_pipeline.imaging.pyramid.plan import inspect_large_image, plan_pyramid
from darkroom_pipeline.imaging.pyramid.strips import cut_strip

pytestmark = pytest.mark.slow


def ramp(width: int, height: int) -> pyvips.Image:
    shade = pyvips.Image.xyz(width, height).cast("float")
    bands = [shade[0] * (200 / width) + 20, shade[1] * (200 / height) + 20, (shade[0] + shade[1]) * 0.01]
    return bands[0].bandjoin(bands[1:]).cast("uchar").copy(interpretation="srgb")


@pytest.mark.parametrize(("width", "height"), [(300, 3000), (90, 5000), (500, 1025), (2000, 16_400), (64, 513)])
@pytest.mark.parametrize("strip_bytes", [1, 400_000_000])
def test_they_are_the_image_at_every_level(width: int, height: int, strip_bytes: int) -> None:
    limits, image = Limits(), ramp(width, height)
    source = Source.from_bytes(image.tiffsave_buffer(tile=True, compression="deflate"))
    header = inspect_large_image(source, limits)
    plan = plan_pyramid(source, header, limits, strip_bytes=strip_bytes)
    made: list[bytes] = []
    binding = write_pyramid(source, header, plan, lambda _, body: made.append(body), limits)
    assert [cut_strip(source, header, plan, strip, limits).body for strip in range(plan.layout.strips)] == made
    body = b"".join([binding.head, *made])
    for shown, level in zip(levels(body), plan.layout.sizes, strict=True):
        assert (shown.width, shown.height) == tuple(level)
        whole = image.thumbnail_image(level.width, height=level.height, size="force")
        assert np.abs(shown.numpy().astype(int) - whole.numpy().astype(int)).mean() < 4


def levels(body: bytes) -> Iterator[pyvips.Image]:
    """The image in full, and each smaller version."""
    whole = pyvips.Image.new_from_buffer(body, "")
    yield whole
    for number in range(int(whole.get("n-subifds"))):
        yield pyvips.Image.tiffload_buffer(body, subifd=number)
