"""docs/how-to/cargo-deny.md: its job fits into the workflow, its list into the lock."""

import json
import re
import tomllib

import yaml

from helpers.fixture_types import Render, Repository, Run
from helpers.pages import read
from tools.template import TEMPLATE

PAGE = read("how-to/cargo-deny.md")


def test_job_of_cargo_deny_fits_into_the_projects_workflow(
    repository: Repository, run: Run
) -> None:
    file = repository() / ".github" / "workflows" / "ci.yml"
    original = file.read_text("utf-8")
    (job,) = PAGE.blocks("yaml")
    file.write_text(f"{original.rstrip()}\n\n{job}", "utf-8")
    run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", file, cwd=TEMPLATE)
    run("zizmor", "--offline", "--persona=auditor", file, cwd=TEMPLATE)
    assert set(re.findall(r"uses: *(.*)", job)) <= set(re.findall(r"uses: *(.*)", original))
    commands = PAGE.commands()
    assert [step["run"] for step in yaml.safe_load(job)["crates"]["steps"][1:]] == commands


# The tables and keys of the page, as cargo-deny 0.20.2 took them; it refuses others by name.
KEYS = {
    "graph": {"all-features"},
    "licenses": {"allow", "confidence-threshold", "private"},
    "sources": {"unknown-registry", "unknown-git", "allow-registry"},
    "advisories": {"unmaintained", "unsound", "yanked", "ignore"},
    "bans": {"multiple-versions", "wildcards"},
}


def test_deny_toml_allows_every_crate_of_the_lock(render: Render, run: Run) -> None:
    (text,) = PAGE.blocks("toml")
    deny = tomllib.loads(text)
    assert {table: set(keys) for table, keys in deny.items()} == KEYS
    project = render()
    command = ("cargo", "metadata", "--locked", "--format-version=1", "--all-features")
    packages = json.loads(run(*command, cwd=project).stdout.splitlines()[-1])["packages"]
    allowed = set(deny["licenses"]["allow"])
    used = set()
    for package in packages:
        if package["source"] is None:
            continue  # the project's own
        assert f"registry+{deny['sources']['allow-registry'][0]}" == package["source"]
        terms = allows(package["license"], allowed)
        assert terms, f"{package['name']}: {package['license']}"
        used |= terms
    assert used == allowed, "allowed, and no crate has it"


def allows(expression: str, allowed: set[str]) -> set[str]:
    """The licences of an SPDX expression that are allowed and suffice; none if they do not."""
    sufficient: set[str] = set()
    for part in re.split(r" AND ", expression.replace("/", " OR ")):
        chosen = {term.strip(" ()") for term in part.split(" OR ")} & allowed
        if not chosen:
            return set()
        sufficient |= chosen
    return sufficient
