"""Programs for those who keep the template, and what they share with its tests.

`canary` and `compare` are run by the nox sessions of these names. `template` holds the facts that
stand in cookiecutter.json and the project's folder, `machine` what this machine offers.
"""
