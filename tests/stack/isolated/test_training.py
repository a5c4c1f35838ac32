"""The game day's scenario of training on a stack of its own: from drift to a promotion and to a rejected candidate."""

from __future__ import annotations

from pathlib import Path

from darkroom_analysis.mlops.model_registry import APPROVED, REJECTED
from darkroom_pipeline.aws.audit import DECISION, OVERRIDE
from gameday.fabrics import TAGS
from gameday.isolated_stack import open_stack
from gameday.report import write_report
from gameday.run import run_scenarios
from gameday.scenarios.training import MISLABELLED, TRAINED, Training


def test_a_trained_model_is_promoted_and_a_mislabelled_one_rejected(tmp_path: Path) -> None:
    scenario = Training(tmp_path, wait_until_ok=False)
    with open_stack(tmp_path / "stack") as environment:
        [run] = run_scenarios(environment, [scenario], print)
        assert run.fault == ""
        report = tmp_path / "report.md"
        write_report(report, [(scenario, run)], run.begun_s)
        versions = environment.registry.list_versions()
        entries = [entry for entry in environment.audit() if entry["kind"] in (DECISION, OVERRIDE)]
        weights = {name: one["weight"] for name, one in environment.variants().items()}
    assert [(Path(one.image).name, one.approval) for one in versions] == [
        (MISLABELLED, REJECTED),
        (TRAINED, APPROVED),
    ]
    assert "precision of tags on the golden set" in versions[0].reason
    assert all(one.metrics["recall"] >= 0.8 for one in versions)  # each by its own test part: only labels decide
    assert {entry["by"] for entry in entries} == {"ada", "bob", "monitor"}
    assert run.facts["images with tags of the mislabelled candidate"].startswith("0 of ")
    assert all(f"{TRAINED}, {tag}: precision, recall, threshold" in run.facts for tag in TAGS)
    assert weights == {"main": 1.0}
    assert "All 1 scenarios passed" in report.read_text(encoding="utf-8")
