"""What has become of the versions that the template pins: `nox -s canary`.

Looks up the newest of each, and of what docs/explanation/which-crate-when.md names. Then renders
every backend with every floor, brings all of it to its newest, and runs the project's own sessions,
a rehearsed release among them. One table says what is behind and what is broken. Something broken
makes it fail; something behind does not. What could not be looked up or run makes it fail with
--strict: where everything should be within reach, silence is a fault. Rust is the one that is
installed: `rustup update` comes first. Actions are compared, not run: only their host can. All is
left in build/canary/.
"""
