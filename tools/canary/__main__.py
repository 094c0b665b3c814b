"""The command line of the canary: `python -m tools.canary`."""

import argparse
import subprocess
import sys
from datetime import date

from tools.canary import lookup, pins, trials, workspace
from tools.canary.table import NOT_LOOKED_UP, Pin, Trial, layout


def say(text: str) -> None:
    """Report progress."""
    print(f"canary: {text}", file=sys.stderr, flush=True)


def summary(found: list[Pin], tried: list[Trial]) -> str:
    """Count what the table shows, and tell the age of the pinned Rust."""
    behind = len({(pin.what, pin.pinned) for pin in found if pin.state == "behind"})
    unknown = len({pin.what for pin in found if pin.state == NOT_LOOKED_UP})
    broken = sum(trial.broken for trial in tried)
    idle = sum(trial.left_out for trial in tried)
    text = f"{broken} broken, {behind} behind, {unknown} not looked up, {idle} not run."
    for pin in found:
        if pin.what == "Rust (installed)":
            weeks = pins.weeks_since_release(pin.pinned, date.today())
            text += f"\nRust {pin.pinned}, which builds releases, came out {weeks} weeks ago."
    return text


def main(words: list[str] | None = None) -> int:
    """Print the table and keep it in build/canary/table.md; return the exit status."""
    parser = argparse.ArgumentParser("nox -s canary --", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--look", action="store_true", help="look up what is behind; build nothing")
    parser.add_argument(
        "--strict", action="store_true", help="fail where something was not looked up or not run"
    )
    options = parser.parse_args(words)
    workspace.FOLDER.mkdir(parents=True, exist_ok=True)
    tried: list[Trial] = []
    try:
        found, pypi = lookup.look_up()
    except subprocess.CalledProcessError as error:  # a rendering, with the locked tools
        print(error.stderr.decode(errors="replace"), file=sys.stderr)
        found, tried = [], [Trial("a rendering", "BROKEN: its error stands above the table")]
    else:
        if not options.look:
            tried = trials.run_trials(pypi, say)
    text = f"{layout(found, tried)}\n\n{summary(found, tried)}\n"
    (workspace.FOLDER / "table.md").write_text(text, "utf-8")
    print(text)
    broken = any(trial.broken for trial in tried)
    silent = any(pin.state == NOT_LOOKED_UP for pin in found) or any(t.left_out for t in tried)
    return 1 if broken or (options.strict and silent) else 0


if __name__ == "__main__":
    sys.exit(main())
