"""Settings that an owner may have and that a release must not see."""

from pathlib import Path

# Settings that an owner may have, each of which broke a step, or another of its kind.
HOSTILE = {
    **dict.fromkeys(["PIP_USER", "PIP_REQUIRE_VIRTUALENV", "PIP_NO_DEPS", "PIP_DRY_RUN"], "1"),
    **dict.fromkeys(["PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_CONSTRAINT"], "/no/such"),
    **dict.fromkeys(["PYTHONSAFEPATH", "PYTHONNOUSERSITE", "PYTHONDONTWRITEBYTECODE"], "1"),
    "PIP_NO_INDEX": "1",
    "PIP_NO_BINARY": ":all:",
    "PYTHONOPTIMIZE": "2",
    "PYTHONWARNINGS": "error",
    "PYTHONIOENCODING": "ascii",
    "PYTHONUTF8": "0",
    "PYTHONPYCACHEPREFIX": "/no/such",
    "PYTEST_ADDOPTS": "--no-such-option",
    "PYTEST_PLUGINS": "no_such_plugin",
    "HYPOTHESIS_PROFILE": "no-such-profile",
    "VIRTUALENV_NO_PIP": "1",
    "VIRTUALENV_APP_DATA": "/no/such",
    "UV_NO_BINARY": "1",
    "UV_SYSTEM_PYTHON": "1",
    "UV_CONSTRAINT": "/no/such",
    "TWINE_REPOSITORY_URL": "http://127.0.0.1:9/",
    "TWINE_CERT": "/no/such",
    "CIBW_BUILD": "no-such",
    "RUSTFLAGS": "--no-such-flag",
    "CARGO_BUILD_RUSTFLAGS": "--no-such-flag",
    "CARGO_BUILD_TARGET": "no-such-target",
    "CARGO_PROFILE_RELEASE_PANIC": "no-such",
    "RUSTC_WRAPPER": "/no/such",
    "MATURIN_PEP517_ARGS": "--no-such-option",
    "SETUPTOOLS_RUST_CARGO_PROFILE": "no-such",
    "PYO3_PYTHON": "/no/such",
    "DIST_EXTRA_CONFIG": "/no/such",
    "SOURCE_DATE_EPOCH": "no number",
    "MAKEFLAGS": "--no-such-option",
    "GIT_TRACE": "1",
    "GIT_AUTHOR_DATE": "no date",
    "GIT_NAMESPACE": "elsewhere",
}


def located(decoy: Path) -> dict[str, str]:
    """The variables that git sets for its hooks and aliases, for another repository."""
    git = decoy / ".git"
    return {
        "GIT_DIR": str(git),
        "GIT_WORK_TREE": str(decoy),
        "GIT_INDEX_FILE": str(git / "index"),
        "GIT_COMMON_DIR": str(git),
        "GIT_OBJECT_DIRECTORY": str(git / "objects"),
        "GIT_PREFIX": "",
        "GIT_CONFIG": str(git / "config"),
    }
