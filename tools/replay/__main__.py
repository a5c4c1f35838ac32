"""The command: ``python -m tools.replay``.

Two variants: ``--endpoint E --variants main canary --bucket <media bucket> --table <index table>``; of the stack on
this machine: ``--local --variants main canary``. Two folders of models, in this process: ``--folders A B``. The
pictures are those that samples are kept of; with ``--below`` all masters that start so; with ``--manifest`` those of a
manifest for training.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "layers" / "darkroom"))

from darkroom.aws.clients import client
from darkroom.aws.model import Endpoint
from darkroom.aws.s3 import S3Bucket
from darkroom.aws.samples import Samples
from darkroom.errors import DarkroomError, ModelUnavailable
from darkroom.services.infer.tasks import tasks as configured
from darkroom.services.s3_keys import ObjectNames
from darkroom.settings import DEFAULTS

from .. import local_stack
from .agreement import Pair, agree, figures, rows, table
from .inputs import below, listed, pictures, sampled
from .sides import FolderSide, Side, VariantSide, common_tasks

ANSWERS_WITHIN_S = 65.0
"""SageMaker itself gives up after 60 s."""


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    """The command; its exit status: 0 if both agree, 1 if not, 2 if nothing could be compared."""
    chosen = _parser().parse_args(arguments)
    try:
        if chosen.local:
            environment = _localised(chosen)
        sides, tasks = _sides(chosen, environment)
        masters = S3Bucket(client("s3", environment), _needed(chosen.bucket, "--bucket"))
        keys = _keys(chosen, masters, environment)
        pairs, failed = replayed(islice(pictures(masters, keys), chosen.limit), sides, tasks)
    except (DarkroomError, ValueError, OSError) as error:
        detail = error.detail if isinstance(error, DarkroomError) else ""
        sys.stderr.write(f"{error} {detail}".strip() + "\n")
        return 2
    if not pairs:
        sys.stderr.write("There is nothing to compare: no picture was answered by both.\n")
        return 2
    found = rows(pairs)
    for line in table(found, pairs, (sides[0].name, sides[1].name)):
        sys.stdout.write(line + "\n")
    if failed:
        sys.stdout.write(f"not answered: {failed}\n")
    if chosen.metrics:
        chosen.metrics.write_text(json.dumps(figures(found), indent=2) + "\n", encoding="utf-8")
    return 0 if not failed and agree(found, chosen.min_agreement) else 1


def replayed(jpegs: Iterable[bytes], sides: tuple[Side, Side], tasks: Sequence[str]) -> tuple[list[Pair], int]:
    """What both say of each picture, and of how many one of them said nothing for a fault of its own.

    They take turns at being first: the second one finds caches warm.
    """
    pairs, failed = list[Pair](), 0
    for number, jpeg in enumerate(jpegs):
        order = (0, 1) if number % 2 == 0 else (1, 0)
        try:
            told = {place: sides[place].ask(jpeg, tasks) for place in order}
        except ModelUnavailable as error:
            failed += 1
            sys.stderr.write(f"{error.detail or error}\n")
            continue
        pairs.append(Pair((told[0][0], told[1][0]), (told[0][1], told[1][1])))
    return pairs, failed


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.replay", description="Show stored pictures to two versions of the models."
    )
    parser.add_argument("--variants", nargs=2, metavar=("A", "B"), help="two production variants of the endpoint")
    parser.add_argument("--folders", nargs=2, type=Path, metavar=("A", "B"), help="two folders of models")
    parser.add_argument("--endpoint", help="the endpoint's name")
    parser.add_argument("--bucket", help="where the masters are (the stack's output MediaBucketName)")
    parser.add_argument("--prefix", default="masters/", help="what comes before their keys (masters/)")
    parser.add_argument(
        "--raw-names", action="store_true", help="the bucket is a SourceBucket, whose names are keys as they are"
    )
    parser.add_argument("--table", help="the index table (the stack's output IndexTableName)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--below", help="keys that start with this, instead of those that samples are kept of")
    which.add_argument("--manifest", help="those of a manifest in the bucket, such as watch/manifests/…/test.manifest")
    parser.add_argument("--local", action="store_true", help="pictures and endpoint of the stack on this machine")
    parser.add_argument("--state-dir", type=Path, default=local_stack.STATE, help="where that stack's data is (.local)")
    parser.add_argument("--tasks", help="separated by commas; all that both can do if it is not given")
    parser.add_argument("--limit", type=int, default=100, help="pictures at most (100)")
    parser.add_argument(
        "--min-agreement", type=float, default=0.9, metavar="SHARE", help="that each task needs for status 0 (0.9)"
    )
    parser.add_argument("--metrics", type=Path, metavar="FILE", help="write the figures there, for tools.registry")
    return parser


def _keys(chosen: argparse.Namespace, masters: S3Bucket, environment: Mapping[str, str]) -> Iterable[str]:
    names = ObjectNames(chosen.prefix, encoded=not chosen.raw_names)
    if chosen.manifest is not None:
        return listed(masters, chosen.manifest)
    if chosen.below is not None:
        return below(masters, names.name(chosen.below))
    return sampled(Samples(client("dynamodb", environment), _needed(chosen.table, "--table")), names)


def _localised(chosen: argparse.Namespace) -> dict[str, str]:
    """Fill in what the running stack tells; its environment."""
    facts = local_stack.read(chosen.state_dir)
    chosen.bucket = chosen.bucket or facts["media_bucket"]
    chosen.table = chosen.table or facts["index_table"]
    chosen.endpoint = chosen.endpoint or local_stack.ENDPOINT
    return local_stack.environment(facts)


def _sides(chosen: argparse.Namespace, environment: Mapping[str, str]) -> tuple[tuple[Side, Side], list[str]]:
    """Both sides, and what they are asked for."""
    asked = chosen.tasks.split(",") if chosen.tasks else None
    if (chosen.variants is None) == (chosen.folders is None):
        raise ValueError("Compare either two --variants or two --folders.")
    if chosen.folders:
        tasks = asked or common_tasks(chosen.folders)
        first, second = (FolderSide(folder.resolve(), tasks) for folder in chosen.folders)
        return (first, second), tasks
    runtime = client("sagemaker-runtime", environment, read_s=ANSWERS_WITHIN_S, attempts=1)
    endpoint = Endpoint(runtime, _needed(chosen.endpoint, "--endpoint"))
    one, other = (VariantSide(endpoint, name) for name in chosen.variants)
    return (one, other), asked or list(configured(DEFAULTS))


def _needed(value: str | None, option: str) -> str:
    if not value:
        raise ValueError(f"{option} is needed, or --local for the stack on this machine.")
    return value


if __name__ == "__main__":
    sys.exit(main())
