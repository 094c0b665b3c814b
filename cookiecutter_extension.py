"""What the template adds to cookiecutter, loaded through `_extensions` in cookiecutter.json.

It does three things before any hook can, and brings a filter for the project's files:

- An answer that holds Jinja syntax comes out as it was given. cookiecutter renders every answer
  from the command line and the user's configuration as a template of its own, without a sandbox.
  This extension tells the template's own sources from answers, and hands answers on as literals.
- A refused slug, such as `a/b`, makes no folder of that name. cookiecutter makes the project's
  folder before it runs the hook that refuses the slug.
- When a hook refuses an answer, only the hook's sentence is shown. cookiecutter's traceback, of its
  own code, is kept out of its log.
- The filter `web_address` tells where on the web the template was taken from.
"""

import json
import logging
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import BaseLoader, Environment
from jinja2.ext import Extension

# The name of the folder that holds the project's files.
PROJECT_FOLDER = "{{cookiecutter.project_slug}}"

# What is rendered in its place. While questions are answered, the last value of cookiecutter.json
# is not known yet: then somebody gave exactly this text as an answer, and it comes out as given.
# Later it is the slug, if that can be the name of a folder; a hook refuses the others.
HARMLESS_FOLDER = (
    "{% if '_copy_without_render' not in cookiecutter %}"
    f"{{{{ {ascii(PROJECT_FOLDER)} }}}}"
    "{% else %}"
    "{% set letters = cookiecutter.project_slug | string"
    " | replace('-', '') | replace('_', '') | replace('.', '') %}"
    "{{ cookiecutter.project_slug if letters.isalnum() else 'refused' }}"
    "{% endif %}"
)


class TemplateExtension(Extension):
    """Lets Jinja see nothing but the template's own sources, and names the project's folder."""

    def __init__(self, environment: Environment) -> None:
        """Read the template's own sources.

        Args:
            environment: the one that the sources will be rendered in.
        """
        super().__init__(environment)
        self.own = own_sources(repository())
        environment.filters["web_address"] = web_address

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Turn an answer into an expression that gives exactly this answer.

        Args:
            source: what cookiecutter wants to render.
            name: the name of a file of the template; None for texts and for names of files.
            filename: the path of that file.

        Returns:
            The source itself if it is the template's own, else a Jinja literal of it. For the name
            of the project's folder, a source that gives a harmless name where a hook will refuse.
        """
        # With a loader, cookiecutter renders files and their names, which hold no answers.
        rendering_files = isinstance(self.environment.loader, BaseLoader)
        if not rendering_files and source == PROJECT_FOLDER:
            return HARMLESS_FOLDER
        if rendering_files or source in self.own:
            return source
        start, end = self.environment.variable_start_string, self.environment.variable_end_string
        return f"{start} {ascii(source)} {end}"


def without_traceback(record: logging.LogRecord) -> bool:
    """Let a message through, but not the traceback that it carries."""
    record.exc_info = None
    return True


logging.getLogger("cookiecutter.hooks").addFilter(without_traceback)

# What cookiecutter itself knows (its `BUILTIN_ABBREVIATIONS`).
HOSTS = {"gh": "github.com", "gl": "gitlab.com", "bb": "bitbucket.org"}


def web_address(template: str) -> str:
    """The web page of the repository that a template was taken from.

    Args:
        template: as the user named it: `gh:owner/name`, or what `git clone` takes.

    Returns:
        An https address without a name or password in it; "" for folders, archives, servers
        without a name, and abbreviations of the user's own.
    """
    short = re.fullmatch(r"(gh|gl|bb):(.+)", template)
    like_scp = re.fullmatch(r"(?:[\w.-]+@)?([\w-]+(?:\.[\w-]+)+):(?!//)(.+)", template)
    if short:
        host, path = HOSTS[short[1]], short[2]
    elif like_scp:
        host, path = like_scp.groups()
    else:
        try:
            url = urlsplit(template.removeprefix("git+"))
            port = f":{url.port}" if url.port and url.scheme == "https" else ""
        except ValueError:
            return ""
        if url.scheme not in ("https", "http", "ssh", "git") or not url.hostname:
            return ""
        host, path = url.hostname + port, url.path
    path = path.strip("/").removesuffix(".git")
    address = f"https://{host}/{path}"
    of_a_repository = r"https://[\w.-]+(:\d+)?/[\w.~-]+(/[\w.~-]+)+"
    if path.endswith(".zip") or not re.fullmatch(of_a_repository, address, re.ASCII):
        return ""
    return address


# The templates of this process, by the way in which `sys.path` names them.
TEMPLATES: dict[str, Path] = {}


def repository() -> Path:
    """The folder of the template, which cookiecutter has put last on `sys.path`.

    Not always the one that this module was loaded from: a process may render two versions. Where
    the user gave a relative path, it is looked at before hooks are run, in another folder.
    """
    module = Path(__file__).name
    for folder in reversed(sys.path):
        if Path(folder, module).is_file():
            TEMPLATES[folder] = Path(folder).absolute()
        if folder in TEMPLATES:
            return TEMPLATES[folder]
    raise RuntimeError(f"no folder of sys.path holds {module}: {sys.path}")


def own_sources(template: Path) -> set[str]:
    """The texts that cookiecutter may render before it comes to the files.

    Args:
        template: the folder of the template.

    Returns:
        The values in cookiecutter.json, and the hooks.
    """
    settings = json.loads((template / "cookiecutter.json").read_text("utf-8"))
    values = {value for value in settings.values() if isinstance(value, str)}
    return values | {hook.read_text("utf-8") for hook in template.glob("hooks/*.py")}
