"""The command line without a stack: names, options, exit codes, errors, completion, documentation."""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import click
import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
    TokenRetrievalError,
)

from cli.commands import app
from cli.commands.stack import format_status
from cli.deployment import MissingOutput, NoStack
from cli.errors import CommandError, NotFound, WrongArgument, describe
from cli.exit_codes import MEANINGS, ExitCode
from cli.framework import SHARED_NAMES, Command
from cli.main import main
from darkroom.errors import BadOption, SourceMissing, Unavailable
from darkroom_analysis.mlops.golden_set import EVALUATED_TASKS
from local.errors import StartError
from tools import cli_reference
from tools.generated_blocks import fill

REQUESTED = (
    *("up", "stop", "upload", "sign", "token", "purge", "forget", "release", "redrive", "findings", "library"),
    *(
        "replay",
        "review",
        "runbook",
        "parameters",
        "registry",
        "switch",
        "preflight",
        "invoke",
        "logs",
        "status",
        "explain",
    ),
)


def commands(group: click.Group = app, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Command]]:
    """Every command that is not a group, by its arguments."""
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            assert isinstance(command, Command)
            yield (*path, name), command


COMMANDS = dict(commands())


def test_every_requested_command_exists() -> None:
    assert set(REQUESTED) <= set(app.commands)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_has_help_and_no_two_parameters_of_one_name(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert main([*words, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: darkroom {' '.join(words)}")
    names = [parameter.name for parameter in COMMANDS[words].params]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_has_examples_that_its_parser_accepts(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in (click.Path, click.File):  # the files of an example need not exist
        monkeypatch.setattr(kind, "convert", lambda _self, value, *_: value)
    command = COMMANDS[words]
    _, _, shown = command.get_help(click.Context(command)).partition("\nExamples:\n")
    assert 1 <= len(command.examples) <= 2
    assert shown.splitlines()[: len(command.examples)] == [f"  {line}" for line in command.examples]
    for line in command.examples:
        given = shlex.shlex(line, posix=True, punctuation_chars=True)
        given.whitespace_split = True
        parts = list(takewhile(lambda part: part not in {"<", ">", "|"}, given))
        assert parts[: len(words) + 1] == ["darkroom", *words]
        command.make_context(line, parts[len(words) + 1 :])


def test_a_command_that_chooses_its_exit_code_says_when() -> None:
    chosen = {words: one for words, one in COMMANDS.items() if one.callback.__annotations__["return"] == "int"}
    assert len(chosen) > 15
    assert [words for words, one in chosen.items() if "exit code" not in " ".join((one.help or "").split())] == []


SILENT = {("up",), ("completion",)}
"""Commands without --json: one runs until Ctrl-C, one prints a script."""


def test_every_command_with_results_writes_json() -> None:
    assert {words for words, command in COMMANDS.items() if command.output is None} == SILENT


def test_the_reference_is_up_to_date() -> None:
    page = cli_reference.PAGE.read_text(encoding="utf-8")
    assert fill(page, cli_reference.CONTENT) == page, "make docs"
    assert set(MEANINGS) == set(ExitCode)


def answer(code: str, message: str = "said no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


ERRORS: dict[str, tuple[Exception, ExitCode]] = {
    "missing credentials": (NoCredentialsError(), ExitCode.CREDENTIALS),
    "unknown profile": (ProfileNotFound(profile="x"), ExitCode.CREDENTIALS),
    "expired single sign-on": (TokenRetrievalError(provider="sso", error_msg="expired"), ExitCode.CREDENTIALS),
    "expired credentials": (answer("ExpiredTokenException"), ExitCode.CREDENTIALS),
    "no permission": (answer("AccessDenied"), ExitCode.CREDENTIALS),
    "no permission, in our own error": (caused(Unavailable(), answer("AccessDenied")), ExitCode.CREDENTIALS),
    "unreachable": (EndpointConnectionError(endpoint_url="http://127.0.0.1:9"), ExitCode.UNREACHABLE),
    "no stack": (answer("ValidationError", "Stack with id x does not exist"), ExitCode.UNREACHABLE),
    "no local stack": (NoStack("no stack"), ExitCode.UNREACHABLE),
    "no region": (NoRegionError(), ExitCode.USAGE),
    "nothing there": (answer("ResourceNotFoundException"), ExitCode.NOT_FOUND),
    "no image": (SourceMissing(), ExitCode.NOT_FOUND),
    "not deployed": (MissingOutput("no output"), ExitCode.NOT_FOUND),
    "a wrong option": (BadOption("w is wrong"), ExitCode.USAGE),
    "unavailable": (Unavailable(detail="S3\nsaid no"), ExitCode.UNREACHABLE),
    "another answer of AWS": (answer("Throttling"), ExitCode.FAILED),
    "the stack does not start": (StartError("Port 8088 is not free."), ExitCode.FAILED),
    "a file that cannot be read": (FileNotFoundError(2, "No such file", "a.json"), ExitCode.FAILED),
    "our own": (NotFound("no such run"), ExitCode.NOT_FOUND),
    "a defect": (KeyError("field"), ExitCode.FAILED),
}


@pytest.mark.parametrize(("error", "code"), ERRORS.values(), ids=ERRORS)
def test_an_error_is_one_line_with_an_exit_code(error: Exception, code: ExitCode) -> None:
    found = describe(error)
    assert found.code is code
    assert str(found).strip()
    assert len(str(found).splitlines()) == 1


def test_a_defect_names_the_way_to_its_traceback() -> None:
    assert str(describe(KeyError("field"))) == "KeyError: 'field' (--debug shows the traceback)"


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[BaseException]]:
    """Errors that the command ``fails`` raises."""
    raised: list[BaseException] = []

    @app.command("fails", output={})
    def fails(call: object) -> None:
        raise raised.pop()

    yield raised
    del app.commands["fails"]


def test_an_error_of_a_command_becomes_a_line(failing: list[BaseException], capsys: pytest.CaptureFixture[str]) -> None:
    failing.append(CommandError("the cause", ExitCode.NOT_FOUND))
    assert main(["fails"]) == ExitCode.NOT_FOUND
    assert capsys.readouterr().err == "darkroom: the cause\n"
    failing.append(ZeroDivisionError("division"))
    assert main(["fails"]) == ExitCode.FAILED
    assert "Traceback" not in capsys.readouterr().err


def test_ctrl_c_ends_with_130(failing: list[BaseException], capsys: pytest.CaptureFixture[str]) -> None:
    failing.append(KeyboardInterrupt())
    assert main(["fails"]) == ExitCode.INTERRUPTED == 130
    assert capsys.readouterr().err.strip() == "darkroom: interrupted"


@pytest.mark.parametrize("words", [["--debug", "fails"], ["fails", "--debug"]])
def test_debug_shows_the_traceback(failing: list[BaseException], words: list[str]) -> None:
    failing.append(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        main(words)


WRONG: tuple[tuple[tuple[str, ...], str], ...] = (
    (("nothing",), "No such command 'nothing'"),
    (("sign",), "Missing argument 'TARGET'"),
    (("sign", "/a.jpg", "--colour"), "No such option"),
    (("sign", "/a.jpg", "--expires-in", "soon"), "is not a valid integer"),
    (("upload", "/no/such/file"), "does not exist"),
    (("status", "--local", "--stack", "x"), "--local excludes"),
    (("switch", "presets-only", "maybe"), "is not one of"),
    (("logs", "ingest", "--since", "yesterday"), "neither a duration"),
    (("purge",), "Name keys, or --prefix, or --manifest, or --all"),
    (("purge", "a.jpg", "--all"), "Name keys, or --prefix, or --manifest, or --all"),
    (("up", "--stack", "x"), "for the stack on this machine"),
    (("events", "--profile", "x"), "for the stack on this machine"),
)


@pytest.mark.parametrize(("words", "said"), WRONG, ids=[" ".join(words) for words, _ in WRONG])
def test_a_wrong_argument_is_one_line(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main([*words, *(("--state-dir", str(tmp_path)) if words[0] != "nothing" else ())]) == ExitCode.USAGE
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert len(captured.err.splitlines()) == 1


def test_shared_options_may_precede_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--state-dir", str(tmp_path), "settings", "show"], ["settings", f"--state-dir={tmp_path}", "show"]):
        assert main(words) == ExitCode.UNREACHABLE
        assert str(tmp_path) in capsys.readouterr().err


def test_shared_names_are_no_argument_of_a_command() -> None:
    for words, command in COMMANDS.items():
        own = {parameter.name for parameter in command.params} - SHARED_NAMES
        assert not {name for name in own if str(name).startswith("shared_")}, words


def test_wrong_argument_is_a_usage_error() -> None:
    assert WrongArgument("x").code is ExitCode.USAGE


@pytest.mark.parametrize(
    ("labelled", "expected"),
    [
        (None, ""),
        (
            dict.fromkeys(EVALUATED_TASKS, 0),
            "none: no model is measured (./darkroom golden put, docs/guides/models.md)",
        ),
        (
            dict.fromkeys(EVALUATED_TASKS, 0) | {"faces": 40, "tags": 7},
            "images by task: faces 40, tags 7; not measured: objects, moderation, text",
        ),
    ],
)
def test_the_status_asks_for_a_golden_set(labelled: dict[str, int] | None, expected: str) -> None:
    """Of a deployment with models; others have none to measure."""
    document: dict[str, Any] = {
        "stack": {"name": "darkroom", "status": "CREATE_COMPLETE", "where": "aws", "region": "eu-central-1"},
        **{"urls": {}, "queues": {}, "review": 0, "switches": {}, "findings": "1", "golden": labelled},
        "quarantine": {"count": 0, "is_complete": True},
        "settings": {"version": 0, "at": "", "by": "", "reason": ""},
        "versions": {"darkroom": "1", "functions": {}},
    }
    [*found] = [line.partition("golden set")[2].strip() for line in format_status(document) if "golden set" in line]
    assert found == [expected] * bool(expected)
