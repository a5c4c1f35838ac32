"""The command as a process: the launcher, completion in a shell, what it imports, and the installed script."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
import venv
from itertools import batched, chain
from pathlib import Path

import pytest

from cli.app import TOPICS, version
from cli.commands import app
from cli.commands.completion import SHELLS
from cli.exit_codes import ExitCode
from cli.main import main
from darkroom.plan.url_builder import sign_target
from local.paths import COMMAND, ROOT
from tests.waiting import HANG_S, wait_until


def test_help_is_fast_because_it_imports_little() -> None:
    code = "import sys; import cli.commands; print([m for m in sys.modules if m.partition('.')[0] in sys.argv[1:]])"
    heavy = ["boto3", "botocore", "rich", "pyvips", "numpy", "aiohttp", "darkroom", "local", "tools"]
    done = subprocess.run([sys.executable, "-c", code, *heavy], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_help_shows_commands_by_topic(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown, _, codes = capsys.readouterr().out.partition("\nExit codes:\n")
    assert [int(code) for code in re.findall(r"(?m)^  (\d+) ", codes)] == list(ExitCode)
    sections = re.split(r"^(\w+):$", shown, flags=re.MULTILINE)[1:]
    listed = {topic: re.findall(r"(?m)^  ([a-z-]+)  ", text) for topic, text in batched(sections, 2, strict=True)}
    extensions = listed.pop("Extensions")
    listed.pop("Options")
    assert {topic: tuple(names) for topic, names in listed.items()} == TOPICS
    assert {*extensions, *chain(*TOPICS.values())} == {name for name, one in app.commands.items() if not one.hidden}
    assert not {*extensions} & {*chain(*TOPICS.values())}


@pytest.mark.parametrize(
    ("words", "url"), [([], "http://a/"), (["start"], "http://a/"), (["console"], "http://a/_/watch")]
)
def test_a_page_is_opened_in_the_browser(
    words: list[str], url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}.part && mv {opened}.part {opened}\n')
    browser.chmod(0o755)
    for name in ("xdg-open", "open"):
        (tmp_path / name).symlink_to(browser)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "stack.json").write_text('{"cdn_url": "http://a", "control_url": "http://a/_"}')
    assert main(["open", *words, "--state-dir", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{url}\n"
    wait_until(opened.exists, "the browser is called")
    assert opened.read_text() == f"{url}\n"


def test_no_page_is_opened_without_a_stack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["open", "--state-dir", str(tmp_path)]) == ExitCode.UNREACHABLE
    assert "No stack runs in" in capsys.readouterr().err


def test_a_key_of_a_file_signs_without_a_call(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("a key of more than 16 characters\n")
    code = (
        "import sys; from cli.main import main; "
        "main(['sign', '/photo.jpg?w=801', '--key-file', sys.argv[1]]); "
        "print([name for name in sys.modules if name.partition('.')[0] in ('boto3', 'botocore')])"
    )
    done = subprocess.run([sys.executable, "-c", code, key], cwd=ROOT, capture_output=True, text=True, check=True)
    signed = sign_target("/photo.jpg?w=801", "a key of more than 16 characters")
    assert done.stdout.splitlines() == [signed, "[]"]


def test_the_environment_names_a_stack_and_local_overrides_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DARKROOM_STACK", "trial")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    assert main(["status", "--state-dir", str(tmp_path)]) == ExitCode.USAGE
    assert "No region is set" in capsys.readouterr().err
    assert main(["status", "--local", "--state-dir", str(tmp_path)]) == ExitCode.UNREACHABLE


STARTS = {
    "bash": (["--norc", "--noprofile", "-i"], "source {script}\n"),
    "zsh": (["-f", "-i"], "autoload -Uz compinit; compinit -D -u; source {script}\n"),
}
"""Options of shells that are typed into, and what their users have in a file for their start."""


def completes(shell: str, script: Path, typed: str, line: str) -> bool:
    """Whether an interactive shell with the completions of ``script`` makes ``line`` of ``typed`` and a tab."""
    options, start = STARTS[shell]
    environment = {"PATH": os.defpath, "TERM": "dumb", "PS1": "PROMPT> ", "HOME": str(script.parent)}
    reading, writing = pty.openpty()
    process = subprocess.Popen(
        ["setsid", "--ctty", shell, *options],
        cwd=ROOT,
        env=environment,
        stdin=writing,
        stdout=writing,
        stderr=writing,
    )

    def is_shown(text: str) -> bool:
        shown, deadline_s = "", time.monotonic() + HANG_S
        while text not in shown and time.monotonic() < deadline_s:
            if select.select([reading], [], [], 1)[0]:
                shown += os.read(reading, 4096).decode()
        return text in shown

    try:
        assert is_shown("PROMPT> ")
        os.write(reading, f"{start.format(script=script)}echo rea''dy\n".encode())
        assert is_shown("ready")
        os.write(reading, f"{typed}\t".encode())
        return is_shown(line)
    finally:
        process.kill()
        process.wait()
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize("command", ["./darkroom", "darkroom"])
@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes_the_command(
    shell: str, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The program is not on the search path, as in a checkout."""
    assert main(["completion", shell]) == 0
    script = tmp_path / "completions"
    script.write_text(capsys.readouterr().out)
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell}")
    if shell == "fish":
        code = f"source {script}; complete -C '{command} settings rol'"
        environment = {"PATH": os.defpath, "HOME": str(tmp_path)}
        done = subprocess.run(
            ["fish", "--no-config", "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        assert [line.partition("\t")[0] for line in done.stdout.splitlines()] == ["rollback"]
    else:
        assert completes(shell, script, f"{command} settings rol", f"{command} settings rollback")


@pytest.mark.parametrize(
    ("typed", "offered"), [("sta", "status"), ("settings rol", "rollback"), ("switch pres", "presets-only")]
)
def test_words_are_completed(typed: str, offered: str) -> None:
    words = f"darkroom {typed}"
    environment = os.environ | {
        "_DARKROOM_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }
    done = subprocess.run([ROOT / "darkroom"], env=environment, capture_output=True, text=True, check=False)
    assert f"plain,{offered}" in done.stdout.splitlines()


def test_the_launcher_works_from_any_folder_and_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "dr").symlink_to(ROOT / "darkroom")
    done = subprocess.run(["./dr", "--version"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == f"darkroom {version()}\n"


MAKEFILE = """
.local/venvs/commands/.ready: requirements-commands.txt
\t@echo installing
\t@mkdir -p $(@D)/bin && ln -sf $(PYTHON) $(@D)/bin/python && touch $@
"""


def test_the_launcher_installs_the_environment_once(tmp_path: Path) -> None:
    (tmp_path / "darkroom").write_bytes((ROOT / "darkroom").read_bytes())
    (tmp_path / "darkroom").chmod(0o755)
    (tmp_path / "Makefile").write_text(MAKEFILE)
    (tmp_path / "requirements-commands.txt").write_text("")
    (tmp_path / "cli").mkdir()
    (tmp_path / "cli" / "__main__.py").write_text("import sys; print(sys.argv[1:])")
    environment = os.environ | {"PYTHON": sys.executable}
    first, second = (
        subprocess.run([tmp_path / "darkroom", "a b"], env=environment, capture_output=True, text=True, check=True)
        for _ in range(2)
    )
    assert first.stdout == second.stdout == "['a b']\n"
    assert (first.stderr, second.stderr) == ("installing\n", "")
    os.utime(tmp_path / ".local" / "venvs" / "commands" / ".ready", (0, 0))
    changed = subprocess.run([tmp_path / "darkroom"], env=environment, capture_output=True, text=True, check=True)
    assert changed.stderr == "installing\n", "after a change of the requirements"


def test_the_launcher_takes_the_packages_of_the_local_stack_where_only_they_are_installed(tmp_path: Path) -> None:
    (tmp_path / "darkroom").write_bytes((ROOT / "darkroom").read_bytes())
    (tmp_path / "darkroom").chmod(0o755)
    (tmp_path / "requirements-stack.txt").write_text("")
    (tmp_path / "cli").mkdir()
    (tmp_path / "cli" / "__main__.py").write_text("print('started')")
    environment = tmp_path / ".local" / "venvs" / "stack"
    (environment / "bin").mkdir(parents=True)
    (environment / "bin" / "python").symlink_to(sys.executable)
    (environment / ".ready").touch()
    done = subprocess.run([tmp_path / "darkroom"], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("started\n", "")


def test_a_missing_package_names_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("raise ModuleNotFoundError('no', name='click')")
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run([ROOT / "darkroom", "status"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert (
        done.stderr
        == f"darkroom: the package click is not installed. Run: make -C {ROOT} .local/venvs/commands/.ready\n"
    )


@pytest.mark.slow
def test_the_installed_script_is_the_command(tmp_path: Path) -> None:
    """As ``make`` installs it, in an environment that has the packages of this one."""
    venv.create(tmp_path, with_pip=False)
    python = tmp_path / "bin" / "python"
    [site] = (tmp_path / "lib").glob("python*/site-packages")
    (site / "packages.pth").write_text(str(Path(pytest.__file__).parents[1]) + "\n")
    install = ["install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(python), *install], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    done = subprocess.run([tmp_path / "bin" / "darkroom", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"darkroom {version()}\n"


def _sleeps(pid: int) -> bool:
    """Return whether the process sleeps, seen ten times in a row: one that starts is running or waits for the disk."""
    for _ in range(10):
        if Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "S":
            return False
        time.sleep(0.02)
    return True


def test_ctrl_c_ends_a_process_with_130_and_a_line(tmp_path: Path) -> None:
    """It is sent while the command reads its standard input."""
    process = subprocess.Popen(
        ["env", "--default-signal=INT", *COMMAND, "keys", "encode"],  # a shell's background job ignores SIGINT
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_until(lambda: _sleeps(process.pid), "it reads its standard input")  # earlier, Python would be interrupted
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=HANG_S)
    finally:
        process.kill()
    assert (process.returncode, said.strip()) == (ExitCode.INTERRUPTED, "darkroom: interrupted")
