"""Sphinx's settings for the site, which `nox -s docs` builds."""

project = "cookiecutter-pyo3-wheel"
html_title = project
extensions = ["myst_parser"]
myst_heading_anchors = 4  # links to headings are checked
html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_copyright = False
html_show_sphinx = False
html_use_index = False
