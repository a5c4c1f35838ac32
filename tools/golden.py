"""The golden set: pictures of which people have said what is in them, by which the models are judged.

``python -m tools.golden put --bucket <media bucket> --folder F`` takes a folder with a ``manifest.jsonl`` that names
its pictures; ``… show --bucket B`` lists what is there; ``… worse --to F`` makes models to rehearse a bad release with.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "layers" / "darkroom"))

from darkroom.aws.clients import client
from darkroom.aws.s3 import S3Bucket
from darkroom.errors import DarkroomError, Unavailable
from darkroom.watch.quality import Golden, read_manifest

from .degraded_model import put_worse

PREFIX = "golden/"
MANIFEST = "manifest.jsonl"
MODELS = Path(__file__).resolve().parent.parent / ".local" / "models"


def put(media: S3Bucket, pictures: Iterable[tuple[Golden, bytes]]) -> int:
    """Replace the golden set by ``pictures``, each as its file was; how many there are.

    They are stored as models get to see pictures: upright JPEGs of 2048 px at most, so that labels in fractions stay
    true. The manifest is written last: it never names a picture that is not there.

    Raises ValueError for two pictures of one name, what :func:`darkroom.imaging.render.pipeline.render` raises for one
    that cannot be decoded, Unavailable.
    """
    from darkroom.imaging.source import Source
    from darkroom.plan.limits import Limits
    from darkroom.services.infer.prepare import prepared

    lines: dict[str, str] = {}
    for golden, body in pictures:
        key = f"{PREFIX}{PurePosixPath(golden.picture).stem}.jpg"
        if key in lines:
            raise ValueError(f"there are two pictures for {key}")
        jpeg = prepared(Source.from_bytes(body), Limits())
        media.put(key, jpeg, headers={"Content-Type": "image/jpeg"}, metadata={})
        lines[key] = line_of(replace(golden, picture=key))
    text = "".join(f"{line}\n" for line in lines.values())
    media.put(PREFIX + MANIFEST, text.encode(), headers={"Content-Type": "application/jsonl"}, metadata={})
    return len(lines)


def line_of(golden: Golden) -> str:
    """The line of a manifest that says what ``golden`` says, and no more."""
    labels = {"faces": golden.faces, "unsafe": golden.unsafe, "text": golden.text}
    return json.dumps({"picture": golden.picture} | {name: said for name, said in labels.items() if said is not None})


def shown(media: S3Bucket) -> list[Golden]:
    """The golden set as it is, empty if there is none; raises ValueError if it cannot be read, Unavailable."""
    opened = media.open(PREFIX + MANIFEST)
    if opened is None:
        return []
    with opened.body as body:
        return list(read_manifest(body.read().decode()))


def read_folder(folder: Path) -> Iterator[tuple[Golden, bytes]]:
    """Each picture that the manifest in ``folder`` names, with its file's bytes; raises ValueError, OSError."""
    for golden in read_manifest((folder / MANIFEST).read_text(encoding="utf-8")):
        yield golden, (folder / golden.picture).read_bytes()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        _COMMANDS[chosen.command](chosen)
    except Unavailable as error:
        sys.stderr.write(f"{error.detail}\nIt may be run again.\n")
        return 1
    except (DarkroomError, ValueError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.golden", description="Pictures that models are judged by.")
    commands = parser.add_subparsers(dest="command", required=True)
    put_ = commands.add_parser("put", help="replace the golden set by the pictures of a folder")
    put_.add_argument("--folder", required=True, type=Path, help=f"where they are, with {MANIFEST}")
    show = commands.add_parser("show", help="list it")
    for command in (put_, show):
        command.add_argument("--bucket", required=True, help="the media bucket (the stack's output MediaBucketName)")
    worse = commands.add_parser("worse", help="make a folder of models whose moderation is wrong")
    worse.add_argument("--to", required=True, type=Path, help="the folder")
    worse.add_argument("--models", type=Path, default=MODELS, help="the models as they are (.local/models)")
    return parser


def _put(chosen: argparse.Namespace) -> None:
    count = put(S3Bucket(client("s3"), chosen.bucket), read_folder(chosen.folder))
    sys.stdout.write(f"pictures: {count}\n")


def _show(chosen: argparse.Namespace) -> None:
    found = shown(S3Bucket(client("s3"), chosen.bucket))
    sys.stdout.write("".join(f"{_described(golden)}\n" for golden in found) or "There is no golden set.\n")


def _described(golden: Golden) -> str:
    said = [
        "" if golden.faces is None else f"faces {len(golden.faces)}",
        "" if golden.unsafe is None else "unsafe" if golden.unsafe else "safe",
        "" if golden.text is None else f"words {len(golden.text.split())}",
    ]
    return f"{golden.picture}  {', '.join(filter(None, said))}"


def _worse(chosen: argparse.Namespace) -> None:
    put_worse(chosen.models, chosen.to)
    sys.stdout.write(f"{chosen.to.resolve()}\n")


_COMMANDS: Mapping[str, Callable[[argparse.Namespace], None]] = {"put": _put, "show": _show, "worse": _worse}


if __name__ == "__main__":
    sys.exit(main())
