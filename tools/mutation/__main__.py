"""``python -m tools.mutation PACKAGE``: test a random sample of mutants of a package and report the score."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from chaos.ministack import ministack

from .javascript import list_javascript_mutants, mutate_javascript
from .mutants import Mutant, find_changed_lines, list_python_mutants, mutate_python, sample_mutants
from .packages import PACKAGES, ROOT, Package
from .recording import Recording, record
from .report import Outcome, format_report, read_equivalents
from .running import Job, Result, import_libraries, run_jobs
from .selection import find_covering, order_tests

CONTROL_TESTS = 20
"""Tests that must run without a mutant, before any mutant."""

INERT = {".py": "\n", ".js": "\nfunction inert() { return 0; }\n"}
"""Text that changes a source and not its behaviour."""


class Run:
    """One run over a sample: mutants, their tests, and the processes."""

    def __init__(self, package: Package, recording: Recording, workers: int, ministacks: Sequence[str]) -> None:
        self._recording = recording
        self._workers, self._ministacks = workers, ministacks
        self._python = package.suffix == ".py"
        self._files = {str(path.relative_to(ROOT)): path for path in package.files()}
        self.sources = {file: path.read_text(encoding="utf-8") for file, path in self._files.items()}

    def draw(self, sample: int, seed: int) -> list[tuple[Mutant, str]]:
        """Draw ``sample`` valid mutants with their text."""
        listing = list_python_mutants if self._python else list_javascript_mutants
        mutate = mutate_python if self._python else mutate_javascript
        drawn: list[tuple[Mutant, str]] = []
        for mutant in sample_mutants((one for file, text in self.sources.items() for one in listing(file, text)), seed):
            mutated = mutate(self.sources[mutant.file], mutant)
            if mutated is not None:
                drawn.append((mutant, mutated))
            if len(drawn) == sample:
                break
        return drawn

    def find_covering(self, mutant: Mutant) -> set[str]:
        """Find the tests of a mutant: all tests of the package where coverage is not measured."""
        if self._python:
            return find_covering(mutant, self.sources, self._recording)
        return set(self._recording.durations)

    def run(self, mutants: Sequence[tuple[Mutant, str]], budget_s: float) -> list[Outcome]:
        """Test ``mutants``. A test that fails without a mutant kills none."""
        covering = [self.find_covering(mutant) for mutant, _ in mutants]
        every = sorted({test for tests in covering for test in tests})
        rejected = self._find_rejected(set(every[:CONTROL_TESTS] if self._python else every))
        results: dict[int, Result] = {}
        stages: dict[int, list[list[str]]] = {}
        pending = list(range(len(mutants)))
        while pending:
            for number in pending:
                stages[number] = order_tests(covering[number] - rejected, self._recording.durations, budget_s)
            jobs = [
                Job(number, self._files[mutants[number][0].file], mutants[number][1], stages[number])
                for number in pending
                if stages[number]
            ]
            for result in self._execute(jobs):
                results[result.number] = result
            killers = {test for number in pending if number in results for test in results[number].failed}
            false = self._find_rejected(killers - rejected)
            rejected |= false
            pending = [number for number, result in results.items() if false & set(result.failed)]
        return [
            self._describe(mutant, text, len(covering[number]), stages[number], results.get(number))
            for number, (mutant, text) in enumerate(mutants)
        ]

    def _find_rejected(self, tests: set[str]) -> set[str]:
        """Find those of ``tests`` that fail with an inert change of a source."""
        if not tests:
            return set()
        file, path = next(iter(self._files.items()))
        text = self.sources[file] + INERT[path.suffix]
        job = Job(0, path, text, [sorted(tests)], stop=False)
        (result,) = self._execute([job])
        if not result.passed:
            raise RuntimeError(f"no test passes without a mutant:\n{result.output}")
        failed = set(result.failed)
        if failed:
            sys.stderr.write("".join(f"not counted, fails without a mutant: {test}\n" for test in sorted(failed)))
        return failed

    def _execute(self, jobs: Sequence[Job]) -> list[Result]:
        done = []
        for result in run_jobs(jobs, self._recording.durations, self._workers, self._ministacks):
            done.append(result)
            sys.stderr.write(f"{len(done)}/{len(jobs)} {result.ended} after {result.seconds} s\n")
        return done

    def _describe(
        self, mutant: Mutant, text: str, covering: int, stages: list[list[str]], result: Result | None
    ) -> Outcome:
        original, mutated = find_changed_lines(self.sources[mutant.file], text, mutant.line)
        return Outcome(
            file=mutant.file,
            line=mutant.line,
            operator=mutant.operator,
            original=original,
            mutated=mutated,
            covering=covering if self._python else None,
            ran=sum(map(len, stages)),
            ended=result.ended if result else "not covered",
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutation", description=__doc__)
    parser.add_argument("package", choices=PACKAGES)
    parser.add_argument("--sample", type=int, default=150, help="mutants to test")
    parser.add_argument("--seed", type=int, help="seed of the sample; drawn and reported by default")
    parser.add_argument("--workers", type=int, default=2, help="processes at a time")
    parser.add_argument("--recording", type=Path, help="folder of a recording to reuse, or to write if it is empty")
    options = parser.parse_args(arguments)
    package = PACKAGES[options.package]
    seed = random.SystemRandom().randrange(10**8) if options.seed is None else options.seed
    with ExitStack() as stack:
        folders = [
            Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mutation-", ignore_cleanup_errors=True)))
            for _ in range(1 + (options.workers if package.uses_ministack else 0))
        ]
        recording = record(package, options.workers, options.recording or folders[0])
        import_libraries()
        run = Run(package, recording, options.workers, [stack.enter_context(ministack(one)) for one in folders[1:]])
        outcomes = run.run(run.draw(options.sample, seed), package.budget_s)
    sys.stdout.write(format_report(options.package, seed, outcomes, read_equivalents()))


if __name__ == "__main__":
    main()
