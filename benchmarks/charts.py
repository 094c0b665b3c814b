"""Two charts of one run, as SVG: text stays text, and turns light where the page is dark."""

import re
from pathlib import Path

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.ticker import LogLocator  # noqa: E402
from results import OURS, Results  # noqa: E402
from texts import SCRIPTS  # noqa: E402
from variants import VARIANTS  # noqa: E402

# Inches. A telephone shows the whole width at half its size, and the text has to be read there.
WIDTH = 4
# Blue and orange can be told apart by everyone, and seen on white and on black.
OURS_COLOUR, OTHERS_COLOUR, LINES = "#e8590c", "#4c8dc9", "#808080"
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "the same names in every run",
    "font.size": 11,
    "axes.edgecolor": LINES,
    "xtick.color": LINES,
    "ytick.color": LINES,
    "xtick.labelcolor": "black",
    "ytick.labelcolor": "black",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "grid.color": LINES,
    "grid.alpha": 0.3,
}
DOTS = {  # name: form and colour
    OURS: ("o", OURS_COLOUR),
    "handwritten C, METH_O": ("d", OTHERS_COLOUR),
    "article: Rust, chars once": ("v", "#9775fa"),
    "article: regex": ("s", "#2f9e44"),
    "article: Python, once": ("P", "#868e96"),
    "article: Python, zip": ("^", "#e64980"),
}
DARK = "<style>@media (prefers-color-scheme: dark) { text { fill: #f0f0f0 !important } }</style>"


def duration(seconds: float) -> str:
    """Three digits and a unit: 20.6 µs."""
    units = (("ns", 1e-9), ("µs", 1e-6), ("ms", 1e-3), ("s", 1))
    unit, value = next((unit, seconds / size) for unit, size in units if seconds < 999.5 * size)
    return f"{value:.{0 if value >= 99.95 else 1 if value >= 9.995 else 2}f} {unit}"


def ratio(value: float) -> str:
    """Three digits, and no power of ten: ×17.3, ×1,240."""
    return f"×{value:,.0f}" if value >= 99.95 else f"×{value:.3g}"


def logarithmic(axes: Axes, label: str) -> None:
    """A scale of times from left to right."""
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(numticks=4))
    axes.xaxis.set_major_formatter(lambda seconds, _: re.sub(r"\.0+ ", " ", duration(seconds)))
    axes.set_xlabel(label)
    axes.tick_params(which="both", axis="y", length=0)
    axes.invert_yaxis()


def save(figure: pyplot.Figure, file: Path) -> None:
    figure.savefig(file, transparent=True, bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)
    head, rest = file.read_text("utf-8").split("<defs>", 1)
    lines = f"{head}{DARK}\n <defs>{rest}".splitlines()
    file.write_text("\n".join(line.rstrip() for line in lines) + "\n", "utf-8")


def one_million_letters(results: Results, file: Path) -> None:
    """Bars: the article's table, all variants on its input."""
    times = {variant.label: results.time(variant.name) for variant in VARIANTS}
    names = sorted(times, key=lambda name: times[name])
    own = times[OURS]
    figure, axes = pyplot.subplots(figsize=(WIDTH, 5))
    colours = [OURS_COLOUR if name == OURS else OTHERS_COLOUR for name in names]
    bars = axes.barh(names, [times[name] for name in names], color=colours, height=0.65)
    labels = [f"{duration(times[name])}  {ratio(times[name] / own)}" for name in names]
    labels[names.index(OURS)] = duration(own)
    axes.bar_label(bars, labels, padding=4)
    logarithmic(axes, "median time, one million random ASCII letters")
    axes.set_xlim(min(times.values()) / 3, max(times.values()) * 150)  # room for the last label
    save(figure, file)


def first_call_by_script(results: Results, file: Path) -> None:
    """Dots: the first call on a fresh text of each script, for those that count it right."""
    figure, axes = pyplot.subplots(figsize=(WIDTH, 3.6))
    for name, (form, colour) in DOTS.items():
        times = [results.time(name, script, mode="fresh") for script in SCRIPTS]
        size = 110 if name == OURS else 55
        axes.scatter(times, list(SCRIPTS), size, colour, form, label=name, zorder=3)
    axes.grid(axis="x")
    logarithmic(axes, "median time of the first call, one million characters")
    axes.margins(y=0.12)
    figure.legend(loc="lower center", bbox_to_anchor=(0.5, 0.9), ncols=2, frameon=False)
    save(figure, file)


def draw(results: Results, folder: Path) -> None:
    """Write both charts into a folder."""
    with matplotlib.rc_context(STYLE):
        one_million_letters(results, folder / "one-million-letters.svg")
        first_call_by_script(results, folder / "first-call-by-script.svg")
