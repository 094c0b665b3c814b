"""Every way to render the template, in every surrounding, gives the same files."""

import ntpath
import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers.fixture_types import Render, Run
from helpers.rendering import copy_template, files
from tools.machine import GIT, python_of
from tools.template import BACKENDS, LICENSES, QUESTIONS, TEMPLATE

pytestmark = pytest.mark.builds  # each takes seconds, and some compile

Cookiecutter = Callable[..., Path]

COOKIECUTTER = Path(sys.executable).parent / "cookiecutter"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, run: Run) -> Path:
    """A repository with the template's files as they are now, and the tag v0."""
    clone = copy_template(tmp_path_factory.mktemp("ways") / "template")
    run("git", "init", "--quiet", "--initial-branch=main", cwd=clone)
    run("git", "add", "--all", cwd=clone)
    run("git", "commit", "--quiet", "--message=Everything", cwd=clone, **GIT)
    run("git", "tag", "v0", cwd=clone)
    return clone


@pytest.fixture
def render_into(run: Run, tmp_path: Path) -> Cookiecutter:
    """Run cookiecutter with a user configuration of its own; return the project's folder."""

    def render_into(
        *words: str | Path,
        out: Path = tmp_path / "out",
        user: dict[str, Any] | None = None,
        **more: str,
    ) -> Path:
        config = tmp_path / "config.yml"
        folders = {"cookiecutters_dir": tmp_path / "clones", "replay_dir": tmp_path / "replay"}
        config.write_text(yaml.safe_dump({k: str(v) for k, v in folders.items()} | (user or {})))
        command = (COOKIECUTTER, f"--config-file={config}", "--output-dir", out, *words)
        run(*command, cwd=tmp_path, **more)
        return out / "fast-doubles"

    return render_into


def test_relative_folder(
    render: Render, render_into: Cookiecutter, run: Run, tmp_path: Path
) -> None:
    folder = os.path.relpath(TEMPLATE, tmp_path)
    assert files(render_into(folder, "--no-input")) == files(render())
    words = ("--no-input", "--default-config", "--output-dir=refused", "project_slug=-")
    result = run(COOKIECUTTER, folder, *words, cwd=tmp_path, check=False)
    assert "cookiecutter-pyo3-wheel: project_slug is '-'" in result.stdout
    assert "Traceback" not in result.stdout
    assert list((tmp_path / "refused").iterdir()) == []


def test_oldest_cookiecutter(render: Render, run: Run, tmp_path: Path) -> None:
    python = python_of(tmp_path / "environment")
    run("uv", "venv", tmp_path / "environment", f"--python={sys.executable}", cwd=tmp_path)
    install = ("uv", "pip", "install", f"--python={python}")
    run(*install, "cookiecutter==2.1.0", cwd=tmp_path, UV_CONSTRAINT="")  # newer ones are locked
    command = (python.with_name("cookiecutter"), TEMPLATE, "--no-input", "--default-config")
    run(*command, "--output-dir=out", cwd=tmp_path)
    assert files(tmp_path / "out" / "fast-doubles") == files(render())


def test_two_versions_in_one_process(
    render: Render, run: Run, template: Path, tmp_path: Path
) -> None:
    shutil.copytree(template, tmp_path / "one")
    questions = shutil.copytree(template, tmp_path / "two") / "cookiecutter.json"
    text = questions.read_text("utf-8")
    questions.write_text(text.replace("or 'my-package' }}", "or 'my-package' }}-two"), "utf-8")
    program = (
        "from cookiecutter.main import cookiecutter\n"
        "for folder in ('one', 'two', 'one'):\n"
        "    print(cookiecutter(folder, no_input=True, default_config=True,\n"
        "        overwrite_if_exists=True, output_dir='out', accept_hooks=folder == 'two'))\n"
    )
    run(sys.executable, "-c", program, cwd=tmp_path)
    assert files(tmp_path / "out" / "fast-doubles") == files(render())
    assert (tmp_path / "out" / "fast-doubles-two" / "python" / "fast_doubles_two").is_dir()


def test_git_url(render: Render, render_into: Cookiecutter, template: Path) -> None:
    project = render_into(f"git+{template.as_uri()}", "--no-input")
    assert files(project) == files(render())


def test_tag_is_checked_out(
    render: Render, render_into: Cookiecutter, run: Run, template: Path, tmp_path: Path
) -> None:
    later = tmp_path / "later"
    run("git", "clone", "--quiet", template, later, cwd=tmp_path)
    questions = later / "cookiecutter.json"
    questions.write_text(questions.read_text("utf-8").replace("Fast Doubles", "Later"), "utf-8")
    run("git", "commit", "--quiet", "--all", "--message=Later", cwd=later, **GIT)
    url = f"git+{later.as_uri()}"
    assert files(render_into(url, "--no-input", "--checkout=v0")) == files(render())
    render_into(url, "--no-input", out=tmp_path / "newest")
    assert (tmp_path / "newest" / "later" / "pyproject.toml").exists()


def test_zip_file(
    render: Render, render_into: Cookiecutter, run: Run, template: Path, tmp_path: Path
) -> None:
    # As GitHub serves it: one folder with the name of the branch.
    archive = tmp_path / "main.zip"
    prefix = "--prefix=cookiecutter-pyo3-wheel-main/"
    run("git", "archive", prefix, f"--output={archive}", "HEAD", cwd=template)
    assert zipfile.is_zipfile(archive)
    assert files(render_into(archive, "--no-input")) == files(render())


def test_replay(render_into: Cookiecutter, tmp_path: Path) -> None:
    answers = [
        "description=L'été {{ 7*7 }}",
        "build_backend=setuptools-rust",
        "license=BSD-3-Clause",
    ]
    first = render_into(TEMPLATE, "--no-input", *answers)
    again = render_into(TEMPLATE, "--replay", out=tmp_path / "again")
    assert files(again) == files(first)
    assert b"L'\xc3\xa9t\xc3\xa9 {{ 7*7 }}" in files(first)["pyproject.toml"]
    file = tmp_path / "replay" / f"{TEMPLATE.name}.json"
    from_file = render_into(TEMPLATE, f"--replay-file={file}", out=tmp_path / "file")
    assert files(from_file) == files(first)


def test_defaults_of_the_user(render: Render, render_into: Cookiecutter) -> None:
    answers = {"author_name": "Seán", "license": "Apache-2.0", "build_backend": "setuptools-rust"}
    project = render_into(TEMPLATE, "--no-input", user={"default_context": answers})
    assert files(project) == files(render(**answers))


@pytest.mark.parametrize("value", [True, None], ids=str)
def test_default_that_is_no_text_is_refused(run: Run, tmp_path: Path, value: bool | None) -> None:
    config = tmp_path / "config.yml"
    config.write_text(yaml.safe_dump({"default_context": {"author_name": value}}))
    command = (COOKIECUTTER, TEMPLATE, "--no-input", f"--config-file={config}", "-o", "out")
    result = run(*command, cwd=tmp_path, check=False, HOME=str(tmp_path / "home"))
    assert result.returncode == 1
    sentence = f"author_name is {value}, which is no text: put it in quotes."
    assert f"cookiecutter-pyo3-wheel: {sentence}\n" in result.stdout
    assert "Traceback" not in result.stdout
    assert list((tmp_path / "out").iterdir()) == []


def test_enter_for_all_questions(
    render: Render, environment: dict[str, str], tmp_path: Path
) -> None:
    command = [str(COOKIECUTTER), str(TEMPLATE), "--default-config"]
    result = subprocess.run(
        command, cwd=tmp_path, env=environment, input=b"\n" * len(QUESTIONS), capture_output=True
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert files(tmp_path / "fast-doubles") == files(render())


def test_without_hooks(render: Render, render_into: Cookiecutter) -> None:
    project = render_into(TEMPLATE, "--no-input", "--accept-hooks=no")
    assert files(project) == files(render())
    assert not (project / ".git").exists()


@pytest.mark.parametrize("name", ["with spaces", "Ünïcödé 人人 🦀", "it's $HOME `x` %PATH% #"])
def test_any_output_folder(
    render: Render, render_into: Cookiecutter, run: Run, tmp_path: Path, name: str
) -> None:
    project = render_into(TEMPLATE, "--no-input", out=tmp_path / name, **GIT)
    assert files(project) == files(render())
    assert run("git", "status", "--porcelain", cwd=project).stdout == ""


def test_read_only_target_is_left_as_it_was(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir(mode=0o555)
    command: list[str | Path] = [
        COOKIECUTTER,
        TEMPLATE,
        "--no-input",
        "--default-config",
        "-o",
        target,
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        if not shutil.which("setpriv"):
            pytest.skip("root writes everywhere, and there is no setpriv to forbid it")
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
    result = run(*command, cwd=tmp_path, check=False)
    assert result.returncode != 0
    assert "Permission denied" in result.stdout or "Unable to create directory" in result.stdout
    assert str(target) in result.stdout
    assert list(target.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="a limit of POSIX stands for the full disk")
def test_full_target_says_so_and_can_be_completed(
    render: Render, environment: dict[str, str], run: Run, tmp_path: Path
) -> None:
    # No file may become longer than 24 kB: the lock of the release tools is.
    limited = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (24_000,) * 2); "
    limited += "from cookiecutter.cli import main; main()"
    command = ["-c", limited, TEMPLATE, "--no-input", "--default-config", "-o", tmp_path]
    result = run(sys.executable, *command, cwd=tmp_path, check=False)
    assert result.returncode != 0
    assert "File too large" in result.stdout
    whole = files(render())
    assert files(tmp_path / "fast-doubles").keys() < whole.keys()

    again = (COOKIECUTTER, TEMPLATE, "--no-input", "--default-config", "-o", tmp_path)
    refused = run(*again, cwd=tmp_path, check=False)
    assert refused.returncode == 1
    assert "directory already exists" in refused.stdout.replace("\n", " ")
    run(*again, "--overwrite-if-exists", "--accept-hooks=no", cwd=tmp_path)
    assert files(tmp_path / "fast-doubles") == whole


INTERRUPTED = """
import os, signal, sys
from cookiecutter import cli, generate
create, stop_at = generate.generate_file, sys.argv.pop(1)
def generate_file(project, infile, *rest):
    create(project, infile, *rest)
    if infile == stop_at:
        os.kill(os.getpid(), signal.SIGINT)
generate.generate_file = generate_file
cli.main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
@pytest.mark.parametrize("stop_at", ["CHANGELOG.md", "README.md", "tests/test_properties.py"])
def test_ctrl_c_in_the_middle(render: Render, run: Run, tmp_path: Path, stop_at: str) -> None:
    words = (TEMPLATE, "--no-input", "--default-config", "-o", tmp_path)
    result = run(sys.executable, "-c", INTERRUPTED, stop_at, *words, cwd=tmp_path, check=False)
    assert result.returncode != 0
    assert "Aborted!" in result.stdout
    assert "Traceback" not in result.stdout
    whole = files(render())
    assert stop_at in files(tmp_path / "fast-doubles")
    assert files(tmp_path / "fast-doubles").keys() < whole.keys()
    run(COOKIECUTTER, *words, "--overwrite-if-exists", "--accept-hooks=no", cwd=tmp_path)
    assert files(tmp_path / "fast-doubles") == whole


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
def test_ctrl_c_while_git_works(
    render: Render, environment: dict[str, str], tmp_path: Path
) -> None:
    tools, started = tmp_path / "bin", tmp_path / "started"
    tools.mkdir()
    git = tools / "git"
    init = f"*' init '*) touch {started}; exec sleep 60"
    git.write_text(f'#!/bin/sh\ncase " $* " in {init};; esac\nexit 1\n')
    git.chmod(0o755)
    process = subprocess.Popen(
        [COOKIECUTTER, TEMPLATE, "--no-input", "--default-config", "-o", tmp_path],
        cwd=tmp_path,
        env=environment | {"PATH": f"{tools}{os.pathsep}{environment['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    while not started.exists() and process.poll() is None:
        pass
    os.killpg(process.pid, signal.SIGINT)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "All files are there" in printed
    assert "Traceback" not in printed
    assert files(tmp_path / "fast-doubles") == files(render())


@pytest.mark.skipif(sys.platform == "win32", reason="/dev/full is Linux's")
def test_output_that_cannot_be_printed_deletes_nothing(
    render: Render, environment: dict[str, str], tmp_path: Path
) -> None:
    command = [str(COOKIECUTTER), str(TEMPLATE), "--no-input", "--default-config", "-o"]
    for number, (target, encoding) in enumerate((("/dev/full", "utf-8"), ("/dev/null", "ascii"))):
        variables = environment | {"PYTHONUTF8": "0", "PYTHONIOENCODING": encoding}
        words = [f"{tmp_path}/{number}", "project_name=人人 🦀", "project_slug=fast-doubles"]
        with open(target, "w") as out:
            result = subprocess.run([*command, *words], env=variables, stdout=out)
        assert result.returncode == 0, target
        assert files(tmp_path / str(number) / "fast-doubles").keys() == files(render()).keys()


def test_broken_git_deletes_nothing(
    render: Render, render_into: Cookiecutter, tmp_path: Path
) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "git").write_bytes(b"\x7fELF")
    (tools / "git").chmod(0o755)
    project = render_into(TEMPLATE, "--no-input", PATH=str(tools))
    assert files(project) == files(render())


@pytest.mark.parametrize("backend", BACKENDS)
def test_surrounding_workspace_does_not_claim_the_crate(
    render: Render, render_into: Cookiecutter, run: Run, tmp_path: Path, backend: str
) -> None:
    manifest = '[workspace]\nmembers = ["*"]\nexclude = ["bin"]\nresolver = "3"\n'
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "Cargo.toml").write_text(manifest)
    run("git", "init", "--quiet", cwd=tmp_path)
    project = render_into(TEMPLATE, "--no-input", f"build_backend={backend}")
    assert files(project) == files(render(build_backend=backend))
    assert not (project / ".git").exists()
    command = ("cargo", "metadata", "--no-deps", "--locked", "--format-version=1")
    assert f'"workspace_root":"{project}"' in run(*command, cwd=project).stdout
    assert not (tmp_path / "out" / "Cargo.lock").exists()


def test_autocrlf_changes_no_byte(
    render: Render, render_into: Cookiecutter, run: Run, template: Path, tmp_path: Path
) -> None:
    config = tmp_path / "gitconfig"
    config.write_text("[core]\nautocrlf = true\n[user]\nname = A\nemail = a@example.com\n")
    windows = {"GIT_CONFIG_GLOBAL": str(config), "GIT_CONFIG_SYSTEM": os.devnull}
    project = render_into(f"git+{template.as_uri()}", "--no-input", **windows)
    assert files(project) == files(render())
    copy = tmp_path / "copy"
    run("git", "clone", "--quiet", project, copy, cwd=tmp_path, **windows)
    assert files(copy) == files(render())
    assert run("git", "status", "--porcelain", cwd=project, **windows).stdout == ""


def test_template_with_other_line_ends_renders_the_same_bytes(
    render: Render, render_into: Cookiecutter, template: Path, tmp_path: Path
) -> None:
    # What a checkout without .gitattributes would be on Windows, except for the verbatim files.
    copy = shutil.copytree(template, tmp_path / "template")
    changed = 0
    for file in copy.glob("{{*/**/*"):
        if file.is_file() and b"{{ cookiecutter" in file.read_bytes():
            file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
            changed += 1
    assert changed >= 10
    assert files(render_into(copy, "--no-input")) == files(render())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no umask")
def test_umask_of_the_careful(render: Render, render_into: Cookiecutter) -> None:
    before = os.umask(0o077)
    try:
        project = render_into(TEMPLATE, "--no-input", **GIT)
    finally:
        os.umask(before)
    assert files(project) == files(render())
    for path in (project, *project.rglob("*")):
        if ".git" not in path.relative_to(project).parts:
            mode = path.stat().st_mode & 0o777
            started = path.is_dir() or path.name == "noxfile.py"
            assert mode & 0o700 == (0o700 if started else 0o600), path


LONGEST = {"project_slug": "s" * 64, "package_name": "p" * 64}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("license", LICENSES)
@pytest.mark.parametrize("names", [LONGEST, {}], ids=["longest", "usual"])
def test_file_names_are_legal_and_short_on_windows(
    render: Render, names: dict[str, str], backend: str, license: str
) -> None:
    project = render(build_backend=backend, license=license, **names)
    paths = [path.relative_to(project.parent).as_posix() for path in project.rglob("*")]
    assert len({path.lower() for path in paths}) == len(paths), "Windows ignores case"
    for path in paths:
        # Windows takes 259 characters; this leaves 99 for the folder that holds the project.
        assert len(path) <= 160, path
        for part in path.split("/"):
            assert not re.search(r'[<>:"|?*\\\x00-\x1f]|[ .]$', part), path
            assert not re.fullmatch(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", part, re.I), path
            if hasattr(ntpath, "isreserved"):
                assert not ntpath.isreserved(part), path
