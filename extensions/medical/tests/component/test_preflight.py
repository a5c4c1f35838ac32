"""`darkroom preflight` about this stack, with an account that MiniStack has."""

from __future__ import annotations

import pytest

from cli.main import main

ARGUMENTS = ["preflight", "--config-env", "small", "--region", "eu-central-1", "--further", "medical"]


@pytest.mark.slow
def test_the_stack_is_part_of_the_question(
    aws_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {**aws_environment, "AWS_CONFIG_FILE": "/dev/null"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    assert main([*ARGUMENTS, "medical.MaxConcurrency=2"]) == 0
    assert "ok       Lambda memory: no function has more than the 3008 MB of new accounts" in capsys.readouterr().out
    assert main([*ARGUMENTS, "medical.MemoryMb=3538"]) == 0
    output = capsys.readouterr().out
    assert "unknown  Lambda memory: StatFunction of extensions/medical/stack.yaml has 3538 MB" in output
    assert "MemoryMb of extensions/medical/stack.yaml" in output
