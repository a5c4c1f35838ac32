"""Scenario: uploads of a kind for which the model has no tags, until a trained model has them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from darkroom.findings import TAGS as TAGS_TASK
from darkroom_analysis.mlops.canary_rollout import PROMOTE, ROLLBACK
from darkroom_analysis.mlops.canary_state import TRYING, CanaryStateStore
from darkroom_analysis.mlops.drift_check import RECENT_S
from darkroom_analysis.mlops.golden_set import Confusion, parse_history
from darkroom_analysis.mlops.manifests import FOLDER
from darkroom_analysis.mlops.quality_check import HISTORY
from darkroom_pipeline.aws.documents import DocumentStore
from darkroom_pipeline.aws.sample_slots import SLOTS
from local.paths import ENDPOINT

from .. import fabrics, synthetic_samples
from ..command import run_darkroom
from ..images import MIXED_FABRICS, STRIPED, USUAL
from ..model_release import MAIN, ImageStream, ModelEvents, list_marks, require_records
from ..scenario_run import Phase, ScenarioRun
from ..wait_for import require, wait_until

ALARM = "drift"
TRAINED, MISLABELLED = "trained", "mislabelled"
"""Variants: one that was trained with the right tags, and one with wrong ones."""

BASELINE = 250
"""Usual images before the shift. The reservoir has each of them several times."""

UPLOAD_SEED = "shop"

EACH = 66
"""Uploaded fabrics of each kind. Some samples replace each other in the reservoir, and drift needs 200."""

GOLDEN_EACH = 13
"""Fabrics of each kind in the golden set: a canary is judged by at least 30 labels and findings."""

CANARY_IMAGES = 30
"""Images that both variants have analysed, after which the monitor may decide."""

SHARE = 0.4
"""Share of the calls of a canary, for a decision within minutes."""

UPLOADERS = 8
ALARM_WITHIN_S, OK_WITHIN_S, MANIFEST_WITHIN_S = 1800.0, 600.0, 300.0
KNOWN_WITHIN_S, EVALUATED_WITHIN_S, NEXT_WITHIN_S = 300.0, 900.0, 600.0
ANALYSED_WITHIN_S, TAGGED_WITHIN_S = 600.0, 900.0
"""Limits that detect a hang, on a machine that has other work too."""


class Training:
    """The monitor selects the new images and promotes the model that is trained with their reviewed tags.

    A second candidate, trained with a wrong review, is rolled back.
    """

    name = "training"
    title = "Training"
    after: tuple[tuple[str, Phase], ...] = tuple(
        (other, "verify") for other in ("canary", "drift", "endpoint", "slow-endpoint", "bulk-import")
    )

    def __init__(self, folder: Path, *, wait_until_ok: bool = True) -> None:
        """Use ``folder`` for files. ``wait_until_ok``: wait for the end of the alarm, which takes minutes."""
        self._folder = folder / "training"
        self._wait_until_ok = wait_until_ok
        self._settings: Mapping[str, object] = {}
        self._tags: dict[str, str] = {}
        self._day = ""

    def prepare(self, run: ScenarioRun) -> None:
        """Let canaries be decided within minutes, and make usual images of the day before the baseline of drift.

        Derivatives of the uploads are not re-encoded meanwhile: it would take most of the processors.
        """
        self._folder.mkdir()
        run.environment.enable_consumers("refine", False)
        self._events = ModelEvents(run.environment, "gameday-training")
        self._settings = run.environment.set(canary_pictures=CANARY_IMAGES, canary_hours=0)
        samples = synthetic_samples.make_samples(USUAL, "baseline", BASELINE, time.time() - RECENT_S)
        run.environment.fill_samples([samples[slot % BASELINE] for slot in range(SLOTS)])
        made = run.environment.invoke("MonitorFunction", {"watch": ["baseline"]})["baseline"]
        require(made.get("n"), f"no baseline: {made}")
        self._end_day(run)
        run.mark("note", f"the baseline are {BASELINE} usual images of the day before")

    def inject(self, run: ScenarioRun) -> None:
        """Upload fabrics."""
        drawn = list(fabrics.draw_fabrics(UPLOAD_SEED, EACH))
        prefix = f"gameday/fabric-{int(run.begun_s)}-"
        self._tags = {prefix + name: tag for name, tag, _ in drawn}
        run.mark("break", f"{len(drawn)} images of fabrics, for which the model has no tags")
        with ThreadPoolExecutor(UPLOADERS) as pool:
            list(pool.map(lambda one: run.environment.upload(prefix + one[0], one[2].body), drawn))

    def expect(self, run: ScenarioRun) -> None:
        """Wait for the alarm and the manifests of the day."""
        run.wait_for_alarm(ALARM, ALARM_WITHIN_S)
        [mark, *_] = wait_until(lambda: list_marks(run.environment.media), "there are manifests", MANIFEST_WITHIN_S)
        self._day = mark.key.removeprefix(FOLDER).partition("/")[0]
        run.mark("note", f"the monitor has written the manifests of {self._day}")

    def clear(self, run: ScenarioRun) -> None:
        """Review the manifests, train, and let the monitor promote the result; new uploads have its tags."""
        if run.fault:
            self._restore(run)
            return
        self._renew_baseline(run)
        self._extend_golden_set(run)
        trained = self._train(run, TRAINED, self._tags, "ada")
        self._decide(run, TRAINED, MAIN)
        require(run.environment.variants()[TRAINED]["weight"] == 1, "the trained model is not promoted")
        run.mark("clear", "the monitor promotes the trained model")
        require_records(run, self._events, PROMOTE, TRAINED, self._models(TRAINED).as_uri())
        self._wait_for_tag(run, str(trained["version"]))

    def verify(self, run: ScenarioRun) -> None:
        """Train with wrong tags; the monitor rolls the candidate back, no image has its tags, and the alarm is OK."""
        wrong = {key: fabrics.SWAPPED.get(tag, "") for key, tag in self._tags.items()}
        bad = self._train(run, MISLABELLED, wrong, "bob")
        images = self._decide(run, MISLABELLED, TRAINED)
        run.mark("alarm", "the monitor rolls the mislabelled candidate back")
        weights = {name: one["weight"] for name, one in run.environment.variants().items()}
        require(weights[MISLABELLED] == 0 and weights[TRAINED] == 1, f"weights are {weights}")
        require_records(run, self._events, ROLLBACK, MISLABELLED, self._models(MISLABELLED).as_uri())
        found = images.wait_for_findings(ANALYSED_WITHIN_S)
        overwritten = sum(_read_version(tasks) == bad["version"] for tasks in found)
        run.record_fact("images with tags of the mislabelled candidate", f"{overwritten} of {len(found)}")
        require(not overwritten, f"{overwritten} images have tags of the mislabelled candidate")
        if self._wait_until_ok:
            run.wait_for_ok(ALARM, OK_WITHIN_S)
        self._restore(run)
        run.mark("note", "the models and the golden set are those of before")

    def _models(self, name: str) -> Path:
        return self._folder / name

    def _end_day(self, run: ScenarioRun) -> None:
        """Delete the marks of earlier manifests: the monitor writes manifests once a day, and the next day begins."""
        run.environment.media.delete_many(list_marks(run.environment.media))

    def _renew_baseline(self, run: ScenarioRun) -> None:
        """Fill the reservoir with the fabrics, as more uploads of them would, and make them the baseline."""
        samples = [one for one in run.environment.samples.recent() if one.key in self._tags]
        run.record_fact("different fabrics in the reservoir", len({one.key for one in samples}))
        run.environment.fill_samples([samples[slot % len(samples)] for slot in range(SLOTS)])
        run.environment.invoke("MonitorFunction", {"watch": ["baseline"]})

    def _extend_golden_set(self, run: ScenarioRun) -> None:
        """Add fabrics to the golden set."""
        fabrics.copy_golden_set(run.environment.media, self._folder / "golden-before")
        fabrics.copy_golden_set(run.environment.media, self._folder / "golden")
        fabrics.add_golden_fabrics(self._folder / "golden", "golden", GOLDEN_EACH)
        count = run_darkroom(run.environment, "golden", "put", self._folder / "golden")["images"]
        run.mark("note", f"the golden set has {count} images, some of fabrics")

    def _train(self, run: ScenarioRun, name: str, tags: Mapping[str, str], reviewer: str) -> dict[str, Any]:
        """Review the manifests with ``tags``, train and register the models ``name``; return the command's result."""
        sheet = self._folder / f"{name}.tsv"
        run_darkroom(run.environment, "manifests", "sheet", self._day, sheet)
        sheet.write_text(fabrics.correct_sheet(sheet.read_text(encoding="utf-8"), tags), encoding="utf-8")
        reviewed = run_darkroom(run.environment, "manifests", "review", self._day, sheet, "--by", reviewer)["images"]
        run.mark("note", f"{reviewer} has reviewed {reviewed} images for the {name} model")
        image = self._models(name).as_uri()
        done = run_darkroom(run.environment, "train", self._models(name), self._day, "--image", image)
        for tag, counts in done["tags"].items():
            run.record_fact(
                f"{name}, {tag}: precision, recall, threshold",
                f"{counts['precision']}, {counts['recall']}, {counts['threshold']:.2f}",
            )
        images = done["images"]
        run.mark("note", f"{name}: {images['train']} images for training, {images['test']} for the test")
        return done

    def _decide(self, run: ScenarioRun, name: str, incumbent: str) -> ImageStream:
        """Start ``name`` as the canary, and upload fabrics until the monitor decides. Return them."""
        run.environment.start_variant(name, str(self._models(name)), 0.0)
        run.environment.set_weights({incumbent: 1 - SHARE, name: SHARE})
        run.mark("break" if name == MISLABELLED else "note", f"{name} is the canary, with {SHARE:.0%} of the calls")
        images = ImageStream(run, MIXED_FABRICS, name)
        images.top_up()
        self._evaluate(run, name)
        seen, deadline_s = 0, time.monotonic() + NEXT_WITHIN_S
        while run.environment.variants()[name]["weight"] == SHARE:
            if time.monotonic() > deadline_s:
                seen, deadline_s = _require_progress(run, name, seen), time.monotonic() + NEXT_WITHIN_S
            images.top_up()
            time.sleep(1)
        run.record_fact(f"uploads until the decision about {name}", len(images.keys))
        return images

    def _evaluate(self, run: ScenarioRun, name: str) -> None:
        """Evaluate the canary on the golden set, once the monitor knows it: evaluations of before do not count."""
        wait_until(lambda: self._is_known(run, name), f"the monitor knows the canary {name}", KNOWN_WITHIN_S)
        begun_s = time.time()
        run.environment.start("MonitorFunction", {"watch": ["quality"]})

        def read_scores() -> Confusion | None:
            history = parse_history((run.environment.media.read(HISTORY) or b"{}").decode())
            found = history.get(name)
            return found.scores[TAGS_TASK] if found is not None and found.judged_s >= begun_s else None

        scores = wait_until(read_scores, f"{name} is evaluated on the golden set", EVALUATED_WITHIN_S)
        precision, recall = _percent(scores.precision), _percent(scores.recall)
        run.mark("note", f"tags of {name} on the golden set: precision {precision}, recall {recall}")

    def _is_known(self, run: ScenarioRun, name: str) -> bool:
        """Return whether the monitor has noticed the canary."""
        documents = DocumentStore(run.environment.cloud.dynamodb, run.environment.info["index_table"])
        state = CanaryStateStore(documents, ENDPOINT).read()
        found = (state.canary, state.image, state.stage) if state else ()
        return found == (name, self._models(name).as_uri(), TRYING)

    def _wait_for_tag(self, run: ScenarioRun, version: str) -> None:
        """Upload striped fabrics until one has the tag: workers keep the roles of variants for a minute."""
        images, began_s = ImageStream(run, STRIPED, "after"), time.monotonic()

        def upload() -> bool:
            key = images.upload()
            found = wait_until(lambda: run.environment.findings(key), f"{key} is analysed", ANALYSED_WITHIN_S)
            return _read_version(found) == version and STRIPED in _read_tags(found)

        wait_until(upload, f"a new upload has the tag {STRIPED}", TAGGED_WITHIN_S)
        run.record_fact("time from the promotion to the first tag", f"{time.monotonic() - began_s:.0f} s")
        run.mark("clear", f"new uploads have the tag {STRIPED}")

    def _restore(self, run: ScenarioRun) -> None:
        """Restore the settings, the models and the golden set of before."""
        run.environment.enable_consumers("refine", True)
        if self._settings:
            run.environment.set(**self._settings)
        run.environment.set_weights(dict.fromkeys(run.environment.variants(), 0) | {MAIN: 1})
        for name in (TRAINED, MISLABELLED):
            run.environment.remove_variant(name)
        if (before := self._folder / "golden-before").is_dir():
            run_darkroom(run.environment, "golden", "put", before)


def _require_progress(run: ScenarioRun, name: str, seen: int) -> int:
    """Return the number of compared images, which is more than ``seen`` until there are enough to decide.

    Two variants analyse each on the processors of this machine: no time is right for all machines.
    """
    found = run.environment.invoke("MonitorFunction", {"watch": ["rollout"]})["rollout"]
    images = int(found.get("pictures", 0))
    late = f"not within {NEXT_WITHIN_S:.0f} s: a decision about {name}, or one more image: {found}"
    require(found.get("action") != "hold" or seen < min(images, CANARY_IMAGES), late)
    return images


def _percent(share: float | None) -> str:
    return "unknown" if share is None else f"{share:.0%}"


def _read_version(tasks: Mapping[str, Mapping[str, Any]]) -> str:
    return str(tasks.get(TAGS_TASK, {}).get("version", ""))


def _read_tags(tasks: Mapping[str, Mapping[str, Any]]) -> set[str]:
    return {label["name"] for label in tasks.get(TAGS_TASK, {}).get("labels", ())}
