"""Check the documentation: links resolve, decisions are listed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.code_size import count_documents, count_words

ROOT = Path(__file__).parents[2]
PAGES = [page for folder in (".", "docs/**", "extensions/*/docs") for page in sorted(ROOT.glob(f"{folder}/*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    if page.name == "CHANGELOG.md":  # history, which names extensions that were removed, too
        targets = [target for target in targets if not target.startswith("extensions/")]
    missing = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert [target for target in missing if not is_of_removed_extension(page, target)] == []


def is_of_removed_extension(page: Path, target: str) -> bool:
    """Whether the changelog links a page of an extension that this checkout does not have."""
    found = re.match(r"extensions/\w+/", target) if page.name == "CHANGELOG.md" else None
    return found is not None and not (ROOT / found.group()).exists()


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"\]\((0[^)]+)\)", (folder / "README.md").read_text(encoding="utf-8"))
    assert sorted(listed) == sorted(path.name for path in folder.glob("0*.md"))
    assert len(listed) <= 45


def test_a_decision_is_short() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    assert [page.name for page in pages if len(page.read_text(encoding="utf-8").split()) > 400] == []


def test_a_decision_is_a_page_or_a_paragraph_of_the_earlier_ones() -> None:
    folder = ROOT / "docs" / "decisions"
    pages = {int(path.name[:4]) for path in folder.glob("0*.md")}
    earlier = [int(number) for number in re.findall(r"^## (\d+)$", (folder / "history.md").read_text("utf-8"), re.M)]
    extensions = {int(path.name[:4]) for path in ROOT.glob("extensions/*/docs/0*.md")}
    assert earlier == sorted(set(earlier))
    assert pages.isdisjoint(earlier)
    assert extensions.isdisjoint(pages | set(earlier))


def test_documents_have_at_most_90_000_words() -> None:
    """Beside what commands write, and the documents of extensions. To add a page, shorten others."""
    written, generated = count_documents()
    assert written <= 90_000
    assert generated > 30_000


def test_words_between_markers_are_those_of_a_command() -> None:
    page = "# One two\n<!-- options, do not edit -->\nthree four five\n<!-- /options -->\nsix <!-- n -->7<!-- /n -->\n"
    assert count_words([page]) == (3 + 6, 3)
    example = "<!-- file: a.mjs -->\n\n```js\nlet a;\n```\n\n<!-- end of the file -->\nafter\n"
    assert count_words([example]) == (1, 4)


def test_counts_and_times_of_tests_are_round_and_agree() -> None:
    """Exact counts are wrong after the next commit."""
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    [section] = re.findall(r"^## Test tiers\n(.*?)^## ", contributing, re.DOTALL | re.MULTILINE)
    assert [count for count in re.findall(r"\d+,\d{3}", section) if not count.endswith(",000")] == []
    routines = (ROOT / "docs" / "guides" / "operations" / "routines.md").read_text(encoding="utf-8")
    for page in (section, routines):
        [line] = [line for line in page.splitlines() if line.startswith("| `make test-all`")]
        assert "three hours" in line


MESSAGES_OF_AWS = {
    "... decreases account's UnreservedConcurrentExecution below its minimum value",
    "The certificate that is attached to your distribution doesn't cover the alternate domain name",
    "One or more of the CNAMEs you provided are already associated with a different resource",
    "You must wait 60 seconds after deleting a queue before you can create another with the same name",
    "StateMachineDeleting",
    "Unable to import module 'app'",
}
"""Messages of Lambda, CloudFront, SQS and Step Functions. Every other message of the table is the project's own."""


def test_messages_of_failed_deployments_exist() -> None:
    """Those of the template's rules and of layers/layer.mk change with their texts; three dots stand for any."""
    page = (ROOT / "docs" / "getting-started" / "deploy.md").read_text(encoding="utf-8")
    [section] = re.findall(r"^## Deployment errors\n(.*?)^## ", page, re.DOTALL | re.MULTILINE)
    quoted = {
        message
        for first in re.findall(r"^\|(.*?)\|", section, re.MULTILINE)
        for message in re.findall(r"`([^`]+)`", first)
    }
    assert quoted >= MESSAGES_OF_AWS
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    own = re.findall(r"^ +- AssertDescription: (.+)$", template, re.MULTILINE)
    assert len(own) > 10
    own += (ROOT / "layers" / "layer.mk").read_text(encoding="utf-8").splitlines()
    unknown = {
        message
        for message in quoted - MESSAGES_OF_AWS
        if not any(re.search(re.escape(message).replace(r"\.\.\.", ".*"), line) for line in own)
    }
    assert unknown == set()


FOLDERS = "layers|functions|tests|tools|docs|observability|stacks|local|frontends|endpoint"
OF_EXAMPLES = {"tests/unit/test_dialect_toy.py", "functions/ping/app.py"}
"""Files that the reader of a how-to page creates."""


def test_files_and_tests_of_how_to_pages_exist() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs" / "howto").glob("*.md")))
    files = set(re.findall(rf"(?<![\w/])((?:{FOLDERS})/[\w./-]+\.\w+)", text)) - OF_EXAMPLES
    assert len(files) > 50
    assert {name for name in files if not (ROOT / name).exists()} == set()
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    tests = set(re.findall(r"(?:::|`)(test_\w+)`", text))
    assert len(tests) > 30
    assert tests - set(re.findall(r"^def (test_\w+)", sources, re.MULTILINE)) == set()
