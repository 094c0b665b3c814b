"""Writes the pages of docs/reference/ that repeat what the sources say: `nox -s reference`."""

import ast
import re
import runpy
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.template import PROJECT_FOLDER, QUESTIONS, SETTINGS, TEMPLATE

FOLDER = TEMPLATE / "docs" / "reference"
RELEASE = PROJECT_FOLDER / "release"
HEAD = "<!-- Written by `nox -s reference` from {sources}: edit those. -->\n\n"


def page(title: str, text: str, *sources: Path) -> str:
    """A page with its title, its text, and a note of what it was made from."""
    names = " and ".join(source.relative_to(TEMPLATE).as_posix() for source in sources)
    return f"{HEAD.format(sources=names)}# {title}\n\n{text.strip()}\n"


def table(titles: list[str], rows: list[list[str]]) -> str:
    """A table of Markdown. Raises ValueError if a row has a cell too many or too few."""
    if wrong := [row for row in rows if len(row) != len(titles)]:
        raise ValueError(f"a row needs {len(titles)} cells, for {titles}: {wrong[0]}")
    lines = [titles, ["---"] * len(titles), *rows]
    spaced = [[f" {cell} " if cell else " " for cell in cells] for cells in lines]
    return "\n".join(f"|{'|'.join(cells)}|" for cells in spaced)


def sentence(text: str) -> str:
    """A text with a capital at the beginning and a full stop at the end."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


# --- The questions


def hook() -> types.ModuleType:
    """The hook that refuses answers, as a module: its answers are what cookiecutter fills in."""
    file = TEMPLATE / "hooks" / "pre_gen_project.py"
    module = types.ModuleType(file.stem)
    source = file.read_text("utf-8").replace("{{ cookiecutter | tojson }}", "{}")
    exec(compile(source, file, "exec"), module.__dict__)
    return module


def default_of(key: str) -> str:
    """What Enter answers to a question, in words."""
    value = QUESTIONS[key]
    if isinstance(value, list):
        return f"`{value[0]}`"
    made_of = re.findall(r"cookiecutter\.(\w+)", value)
    return f"made from `{made_of[0]}`" if made_of else f"`{value}`"


def questions() -> str:
    """What cookiecutter asks, and which answers are refused."""
    rules: dict[str, list[tuple[object, str]]] = hook().RULES
    parts = [
        "Enter takes the default. An answer that would not work is refused with one of these "
        "sentences, and nothing is left on disk; `--accept-hooks=no` switches these checks off. On "
        "the command line a question is answered by its name, as in "
        "`cookiecutter TEMPLATE python_floor=3.12`."
    ]
    for key, value in QUESTIONS.items():
        prompt = SETTINGS["__prompts__"][key]
        parts.append(f"## `{key}`")
        if isinstance(value, list):
            parts.append(f"{sentence(prompt['__prompt__'])} Default: {default_of(key)}.")
            parts.append(
                table(["answer", "in words"], [[f"`{answer}`", prompt[answer]] for answer in value])
            )
        else:
            parts.append(f"{sentence(prompt)} Default: {default_of(key)}.")
            reasons = dict.fromkeys(reason for _, reason in rules[key])
            parts.append(
                "It is refused, where it does not fit, with:\n\n"
                + "\n".join(f"- {reason}" for reason in reasons)
            )
    sources = (TEMPLATE / "cookiecutter.json", TEMPLATE / "hooks" / "pre_gen_project.py")
    return page("The questions", "\n\n".join(parts), *sources)


# --- The tasks


def sessions(noxfile: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each session of a noxfile: its name, its docstring and the options of its decorator."""
    for node in ast.parse(noxfile.read_text("utf-8")).body:
        if not isinstance(node, ast.FunctionDef):
            continue
        for decorator in node.decorator_list:
            call = decorator if isinstance(decorator, ast.Call) else None
            if ast.unparse(call.func if call else decorator) == "nox.session":
                words = {word.arg: word.value for word in call.keywords} if call else {}
                options = {
                    str(key): value.value
                    for key, value in words.items()
                    if isinstance(value, ast.Constant)
                }
                yield str(options.get("name", node.name)), ast.get_docstring(node) or "", options


def tasks() -> str:
    """The nox sessions of a project and of the template."""
    project, own = PROJECT_FOLDER / "noxfile.py", TEMPLATE / "noxfile.py"
    of_the_project = [
        [f"`{name}`", "yes" if options.get("default", True) else "", " ".join(doc.split())]
        for name, doc, options in sessions(project)
    ]
    of_the_template = [[f"`{name}`", " ".join(doc.split())] for name, doc, _ in sessions(own)]
    text = "\n\n".join(
        [
            "`nox -s NAME` runs one session, `nox -l` lists all of them. What comes after `--` "
            "goes to the session.",
            "## Of a project",
            "`nox` alone runs those with *yes*.",
            table(["session", "in `nox` alone", "what it does"], of_the_project),
            "## Of the template",
            "For those who change the template. `nox` alone runs `test`.",
            table(["session", "what it does"], of_the_template),
        ]
    )
    return page("The tasks", text, project, own)


# --- The platforms


def platforms() -> str:
    """What release/wheels.txt may list."""
    file = RELEASE / "tools" / "platforms.py"
    module = runpy.run_path(str(file))
    default = module["read_wheels"]()
    rows = []
    for name, platform in module["PLATFORMS"].items():
        system = name.partition("_")[0]
        newest = {"manylinux": "glibc ", "musllinux": "musl ", "macosx": "macOS "}.get(system, "")
        rows.append(
            [
                f"`{name}`",
                "yes" if name in default else "",
                f"`{platform.runner}`" + (", emulated" if platform.emulated else ""),
                f"{newest}{platform.newest}" if platform.newest else "",
                "yes" if platform.install_on else "",
                "yes" if platform.pypy else "",
            ]
        )
    comments = (RELEASE / "wheels.txt").read_text("utf-8")
    abis = [[f"`{abi}`", what] for abi, what in re.findall(r"^#   (\S+) +(.+)$", comments, re.M)]
    known = " ".join(f"`{abi}`" for abi in module["ABIS"])
    titles = [
        "platform",
        "by default",
        "built on",
        "newest that a wheel may ask for",
        "installed in CI",
        "PyPy",
    ]
    text = "\n\n".join(
        [
            "`release/wheels.txt` of a project lists the platforms that get wheels. A line is the "
            "name of a platform and its ABIs:",
            "```text\nmanylinux_x86_64   abi3 cp314t cp315t\n```",
            "## Names",
            table(titles, rows),
            "*Installed in CI*: after the build, a runner of that system installs what its own pip "
            "picks, and tests it. The wheels of the other platforms are tested where they are "
            "built. *PyPy*: cibuildwheel has one for it.",
            "## ABIs",
            table(["ABI", "what it is for"], abis),
            f"All that a line may name: {known}.",
            "`abi3` is built once, on the floor, and tested on every later Python with a GIL: see "
            "[How abi3, abi3t and floors work](../explanation/abi3-and-floors.md).",
        ]
    )
    return page("The platforms", text, file, RELEASE / "wheels.txt")


# --- What a release refuses

LICENSES = "THIRD-PARTY-LICENSES.txt"
KNOWN = {
    "WHEELS.name": "wheels.txt",
    "NAME": LICENSES,
    "LICENSES": LICENSES,
    "OF_CRATES": f"{LICENSES}, the license texts of its crates",
    "COMMAND": "`nox -s fix`",
    "ADDED.name": "license-texts",
}


def words_of(node: ast.expr) -> str | None:
    """A text in a program, with `…` for what it is filled with; None if it is no text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value)
            if isinstance(part, ast.Constant)
            else KNOWN.get(ast.unparse(part.value), "…")  # type: ignore[attr-defined]
            for part in node.values
        )
    return None


def texts_of(node: ast.AST) -> Iterator[ast.expr]:
    """The texts in an expression, each of them as a whole."""
    if isinstance(node, ast.JoinedStr | ast.Constant):
        yield node
    else:
        for part in ast.iter_child_nodes(node):
            yield from texts_of(part)


def refused_by(node: ast.AST) -> Iterator[ast.expr]:
    """The texts with which a node of a program refuses something."""
    match node:
        case ast.Raise(exc=ast.Call() as error):
            yield from texts_of(error)
        case ast.Yield(value=ast.expr() as value) | ast.ListComp(elt=value):
            yield value
        case ast.Call(func=ast.Attribute(value=ast.Name("problems"), attr="append"), args=[text]):
            yield text
        case ast.Call(func=ast.Name("require"), args=[ast.Constant(value=what), *_]):
            yield ast.copy_location(ast.Constant(f"holds no {what!s}"), node)
        case ast.Call(func=ast.Name("require"), args=[ast.Name(what), *_]) if what in KNOWN:
            yield ast.copy_location(ast.Constant(f"holds no {KNOWN[what]}"), node)


def refusals_in(file: Path) -> dict[str, list[str]]:
    """What each function of a program refuses: its docstring's first line to the sentences."""
    tree = ast.parse(file.read_text("utf-8"))
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    of_class = {method: one for one in classes for method in one.body}
    found: dict[str, list[str]] = {}
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and function.name != "require":
            texts = [text for node in ast.walk(function) for text in refused_by(node)]
            texts.sort(key=lambda text: text.lineno)
            said = [words.strip() for text in texts if (words := words_of(text))]
            said = [*dict.fromkeys(words for words in said if re.search(r"[a-z]{3}.* ", words))]
            documented = function if ast.get_docstring(function) else of_class[function]
            if said:
                found[(ast.get_docstring(documented) or "").splitlines()[0]] = said
    return found


PROGRAMS = {
    "preflight.py": "Before anything is built, in the job `check`. `nox -s rehearse` begins with "
    "it, too.",
    "repository.py": "What git knows of the project. The preflight asks it.",
    "platforms.py": "`wheels.txt`, line by line. All programs that need the list read it so.",
    "plan.py": "Whether the wheels of the list can be built. The preflight asks it.",
    "archives.py": "One file of a release. The gate reads each.",
    "licenses.py": "The license texts of the crates in the wheels. The preflight and the gate ask "
    "for them.",
    "gate.py": "All files of a release together, before the upload. twine, check-wheel-contents "
    "and abi3audit are asked too; what they say is passed on.",
    "published.py": "The index, after the upload.",
}


def refusals() -> str:
    """Every sentence with which a release is refused."""
    parts = [
        "A release is all or nothing: one of these sentences stops it. `…` stands for the name, "
        "the version or the value in question."
    ]
    files = [RELEASE / "tools" / name for name in PROGRAMS]
    for file in files:
        parts += [f"## `{file.name}`", PROGRAMS[file.name]]
        for title, said in refusals_in(file).items():
            parts.append(f"**{title}**\n\n" + "\n".join(f"- {words}" for words in said))
    return page("What a release refuses", "\n\n".join(parts), *files)


# --- The environment


def environment() -> str:
    """The variables that a release sees, by the groups of environment.txt."""
    file = RELEASE / "environment.txt"
    introduction, *groups = file.read_text("utf-8").split("\n\n")
    rows = []
    for group in groups:
        comments = [line[1:].strip() for line in group.splitlines() if line.startswith("#")]
        names = [
            word
            for line in group.splitlines()
            if line[:1] != "#"
            for word in line.split("#")[0].split()
        ]
        if names:
            rows.append([" ".join(comments), " ".join(f"`{name}`" for name in names)])
    text = " ".join(line.removeprefix("#").strip() for line in introduction.splitlines())
    text = f"{text}\n\nThis is the default list. `*` stands for any letters.\n\n" + table(
        ["for", "variables"], rows
    )
    return page("The environment of a release", text, file)


PAGES = {
    "questions.md": questions,
    "tasks.md": tasks,
    "platforms.md": platforms,
    "refusals.md": refusals,
    "environment.md": environment,
}


def main() -> None:
    """Write all pages."""
    for name, make in PAGES.items():
        (FOLDER / name).write_text(make(), "utf-8", newline="\n")


if __name__ == "__main__":
    main()
