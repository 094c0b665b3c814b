"""Renders a template as its owner meant it, whatever the settings of the user are."""

from pathlib import Path

from cookiecutter.main import cookiecutter


def rendered(template: Path, answers: dict[str, str], folder: Path, *, hooks: bool = True) -> Path:
    """Render a template into a folder, and return the folder of the project in it.

    Args:
        template: the folder of the template.
        answers: key to answer; the others are the defaults.
        folder: where the project's folder is made.
        hooks: whether the template's hooks are run.

    Raises:
        cookiecutter.exceptions.FailedHookException: a hook refused an answer.
    """
    return Path(
        cookiecutter(
            str(template),
            no_input=True,
            extra_context=answers,
            output_dir=str(folder),
            default_config=True,
            accept_hooks=hooks,
        )
    )
