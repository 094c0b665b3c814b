"""Answers that are meant to break a rendering, and Hypothesis' strategies that make them."""

import os
import tempfile
from pathlib import Path

from hypothesis import strategies as st

from tools.template import BACKENDS, DEFAULTS, LICENSES

# What an executed answer would create; a shell must take the path without quotes.
TRAP = Path(tempfile.gettempdir()) / f"an-answer-was-executed-{os.getpid()}"

EXECUTABLE = [
    f"{{{{ cycler.__init__.__globals__.os.system('touch {TRAP}') }}}}",
    f"{{% set x = cycler.__init__.__globals__.os.system('touch {TRAP}') %}}",
    f"{{{{ self.__init__.__globals__.__builtins__.open('{TRAP}', 'w') }}}}",
    f"$(touch {TRAP})",
    f"`touch {TRAP}`",
    f"; touch {TRAP} #",
    f"| touch {TRAP}",
    f">>> open('{TRAP}', 'w')",
    f"'); open('{TRAP}', 'w') #",
    f'"""); open("{TRAP}", "w") #',
    f"{{open('{TRAP}', 'w')}}",
    f"!!python/object/apply:os.system ['touch {TRAP}']",
    f"<script>{TRAP}</script>",
]

# fmt: off
SYNTAX = [
    "{{ 7*7 }}", "{{", "}}", "{% raw %}", "{% endraw %}", "{%", "%}", "{#", "#}", "{{ nothing }}",
    "{{ cookiecutter.author_name }}", "{% now 'utc' %}", "${{ github.token }}", "${HOME}", "%PATH%",
    "%s", "%(name)s", "{name}", "{0}", "\\", "\\\\", "\\n", "\\u0041", "\\N{DASH}", "\\'", '\\"',
    "'", '"', "'''", '"""', "`", "``", "```", "‘", "’", "“", "”", "«", "»", "#", "##", "# ", " #",
    "-", "--", "---", "-n", "--no-input", "- ", "+ ", "* ", "*", "**", "_", "__", "~", "~~", "=",
    "===", "1. ", "12) ", "> ", ">", "<", "<b>", "</b>", "<!--", "-->", "<a@b.c>", "&", "&amp;",
    "&#65;", "|", "| a | b |", "[", "]", "[x](y)", "![x](y)", "[x]: y", "[[x]]", "!", "@", "$x$",
    "https://example.com/_a_?b=c&d", ":", ": ", "key: value", "key = 1", "!!str", "&anchor",
    "*alias",
    "? ", "%YAML", "null", "true", "1e3", "0x1", "[table]", "[project]", "version = \"0.1.0\"",
    "Unreleased", ",", ";", "(comment)", "a, b", "=?utf-8?q?x?=", ">>> 1 / 0", ">>> ", "...",
    "عربي", "עברית", "\u202eright to left\u202c", "\u200f", "\u200d", "e\u0301\u0327", "Z͑ͫ̓͗",
    "ﬁ", "ß", "İ", "🦀", "👩‍👩‍👧‍👦", "🇪🇺", "\U00020000", "\U0010fffd", "\ufeff",
    "\ufffe", "\xa0", "\u3000", "\xad", " ",
    "  ", "O'Brien", "Ünïcödé", "人人",
]
# fmt: on
BREAKING = ["\n", "\r\n", "\t", "\0", "\x1b[31m", "\x7f", "\x85", "\u2028", "\u2029", "\ud800"]

printable = st.characters(exclude_categories=["Cc", "Zl", "Zp", "Cs"])
pieces = st.one_of(
    st.sampled_from(SYNTAX),
    st.sampled_from(EXECUTABLE),
    st.text(printable, max_size=8),
    st.text(st.sampled_from("\\\"'`{}%#$*_[]()<>&~!-+.=:|0aä "), max_size=12),
)


def usually(
    strategy: st.SearchStrategy[str], otherwise: st.SearchStrategy[str]
) -> st.SearchStrategy[str]:
    """The one strategy, and in one of a dozen examples the other."""
    return st.integers(0, 11).flatmap(lambda die: otherwise if die == 11 else strategy)


joined = st.builds(
    lambda parts, times: ("".join(parts) * times)[:20_000],
    st.lists(pieces, min_size=1, max_size=6),
    st.sampled_from([1] * 15 + [500]),
)
anything = st.one_of(
    st.text(st.characters(exclude_categories=[]), max_size=20),
    st.builds("".join, st.permutations(["a", "b", ""]).map(tuple)),
    st.tuples(joined, st.sampled_from([*BREAKING, " ", "\xa0"]), joined).map("".join),
    joined,
)
texts = usually(joined.map(str.strip).filter(bool), anything)
slugs = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?", fullmatch=True)
packages = st.from_regex(r"[a-z_][a-z0-9_]{0,63}", fullmatch=True)
owners = st.from_regex(r"[A-Za-z0-9]{1,5}(-[A-Za-z0-9]{1,5}){0,4}", fullmatch=True)
addresses = st.one_of(
    st.emails(), st.sampled_from(["me@example.com", "me@例子.广告", "o'b{c}$`d`|~@x.y"])
)
hostile_answers = st.fixed_dictionaries(
    {
        "project_name": texts,
        "project_slug": usually(slugs, anything),
        "package_name": usually(packages, anything),
        "description": texts,
        "author_name": texts,
        "author_email": usually(addresses, anything),
        "github_owner": usually(owners, anything),
        "build_backend": st.sampled_from(BACKENDS),
        "license": st.sampled_from(LICENSES),
    }
)
accepted_answers = st.fixed_dictionaries(
    {
        "project_name": joined.map(str.strip).filter(bool),
        "project_slug": slugs,
        "package_name": packages,
        "description": joined.map(lambda line: line[:512].strip()).filter(bool),
        "author_name": joined.map(str.strip).filter(bool),
        "author_email": addresses,
        "github_owner": owners,
    }
)

WORST = DEFAULTS | {
    "project_name": '# L\'été "*_人_*" {{ 7*7 }} \\ <b>&amp;</b> 🦀 `x` #',
    "project_slug": "Odd._Name.0--x",
    "package_name": "_odd",
    "description": f">>> open('{TRAP}', 'w')  # {{{{ 7*7 }}}} {{% raw %}} \"\\u0041\" 9 % e\u0301",
    "author_name": 'Seán "the Ox" O\'Brien, Jr. (人人) <x@y> \\ {{ 7*7 }}',
    "author_email": "o'brien+tag@例子.example",
    "github_owner": "a-b",
}
