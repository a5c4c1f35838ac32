"""Parameters of ``stacks/textures.yaml`` for a deployed stack of ``template.yaml``, and URLs of textures."""

from __future__ import annotations

from collections.abc import Mapping

from darkroom.plan.presets import Presets, load_default_presets
from darkroom.signing import sign_message
from darkroom.textures.request import FORMAT, parse_request, texture_path


def build_parameters(name: str, outputs: Mapping[str, str], parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters by name, from the stack's ``outputs`` and ``parameters``.

    Raises KeyError for a missing output.
    """
    return {
        "StackName": name,
        "ApiId": outputs["UploadApiUrl"].split("//", 1)[1].split(".", 1)[0],
        "MediaBucket": outputs["MediaBucketName"],
        "SourceBucket": parameters.get("SourceBucket", ""),
        "SourcePrefix": parameters.get("SourcePrefix", "masters/"),
        "SigningKeysArn": outputs["SigningKeysArn"],
        "KmsKeyArn": parameters.get("KmsKeyArn", ""),
        "Arch": parameters.get("Arch", "arm64"),
        "LogDays": parameters.get("RetentionDays", "90,30,14,30,365").split(",")[3],
    }


def sign_url(
    key: str, query: str, signing_key: str, expires_s: int | None = None, presets: Presets | None = None
) -> str:
    """Return the signed path and query of a texture of the image ``key``, valid until ``expires_s`` (Unix time).

    ``f=ktx2`` is added. ``presets`` are the server's, by default those that Darkroom ships with. Raises DarkroomError
    where the result is no valid request.
    """
    path = texture_path(key)
    expiry = "" if expires_s is None else f"&exp={expires_s}"
    query = f"f={FORMAT}&{query}{expiry}" if query else f"f={FORMAT}{expiry}"
    parse_request(path, query, presets or load_default_presets())
    return f"{path}?{query}&s={sign_message(f'{path}?{query}', signing_key)}"
