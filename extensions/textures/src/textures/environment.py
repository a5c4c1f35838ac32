"""Variables of the function."""

from __future__ import annotations

from darkroom.environment import MasterEnvironment


class TexturesEnvironment(MasterEnvironment):
    """``encoder_path`` is the program that compresses textures."""

    signing_keys_arn: str
    encoder_path: str = "/opt/textures/basisu"
