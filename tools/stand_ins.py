"""Images built of Debian packages: stand-ins for manylinux' ones, newer Pythons, PyPy, 32-bit wine.

With the stand-ins, the real cibuildwheel runs, with the real configuration of a rendered project.
What they do not stand in for: the age of the real images' glibc, and how these install Rust.
Needed: root, and the Debian packages podman, netavark, runc and mmdebstrap; for architectures
that this CPU does not run, qemu-user-static and binfmt-support too. There, Python and all else are
emulated, except for Rust's compiler: emulated, it takes ten minutes for a wheel.
"""

import contextlib
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.template import PYTHONS

SUITE = "bookworm"
NEXT_SUITE = "forky"
COMMANDS = ["podman", "runc", "mmdebstrap"]
CONTAINERFILE = Path(__file__).parent / "images" / "Containerfile"
NATIVE_RUST = Path(__file__).parent / "images" / "Containerfile.native-rust"
PACKAGES = ["ca-certificates", "python3", "python3-venv", "python3-dev", "gcc", "libc6-dev"]
RUST = ["ca-certificates", "gcc", "libc6-dev", "rustc-web", "cargo-web"]
WINE = "usr/lib/i386-linux-gnu/wine/i386-windows"
# No script of a package is run, since most of the images are emulated. This is what they would do.
SCRIPTS = " && ".join(
    [
        'cd "$1"',
        "cp usr/share/base-passwd/passwd.master etc/passwd",
        "cp usr/share/base-passwd/group.master etc/group",
        "ln -sf which.debianutils usr/bin/which",
        "(test ! -e usr/bin/gcc || ln -sf gcc usr/bin/cc)",
        "mkdir -p etc/ssl/certs usr/local/bin",
        "cat usr/share/ca-certificates/mozilla/*.crt >etc/ssl/certs/ca-certificates.crt",
        "(test ! -e usr/lib/wine/wine || ln -s ../lib/wine/wine usr/bin/wine)",
        # wine takes a library of MinGW's for its own if its header says so.
        f"(test ! -e {WINE} || (cp usr/i686-w64-mingw32/lib/zlib1.dll {WINE} && "
        r"printf 'Wine builtin DLL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0' | "
        f"dd of={WINE}/zlib1.dll bs=1 seek=64 conv=notrunc status=none))",
    ]
)


@dataclass(frozen=True)
class Architecture:
    """What an architecture of cibuildwheel's is called elsewhere.

    debian: Debian's name; platform: podman's; emulator: QEMU's, "" where this CPU runs it;
    target: Rust's, where it is emulated; suite, python: the release of Debian, and its CPython.
    """

    debian: str
    platform: str
    emulator: str = ""
    target: str = ""
    suite: str = SUITE
    python: str = "cp311"


ARCHITECTURES = {
    "x86_64": Architecture("amd64", "linux/amd64"),
    "i686": Architecture("i386", "linux/386"),
    "aarch64": Architecture("arm64", "linux/arm64", "aarch64", "aarch64-unknown-linux-gnu"),
    "armv7l": Architecture("armhf", "linux/arm/v7", "arm", "armv7-unknown-linux-gnueabihf"),
    "ppc64le": Architecture("ppc64el", "linux/ppc64le", "ppc64le", "powerpc64le-unknown-linux-gnu"),
    "s390x": Architecture("s390x", "linux/s390x", "s390x", "s390x-unknown-linux-gnu"),
    # The first release of Debian for it is the one after ours.
    "riscv64": Architecture(
        "riscv64", "linux/riscv64", "riscv64", "riscv64gc-unknown-linux-gnu", "trixie", "cp313"
    ),
}


def missing() -> list[str]:
    """What this machine lacks to build and run stand-ins; empty where it can."""
    lacks = [command for command in COMMANDS if shutil.which(command) is None]
    if sys.platform != "linux" or os.geteuid() != 0:
        lacks.append("root on Linux")
    if platform.machine() != "x86_64":
        lacks.append("an x86_64 CPU")
    return lacks


class StandIns:
    """Builds the images that are asked for, and the configuration that podman runs them with."""

    def __init__(self, folder: Path, pythons: dict[str, str]) -> None:
        """Where to work, and with what.

        folder: for the configuration and what is unpacked.
        pythons: interpreters of this machine, "3.12" or, free-threaded, "3.14t" to an executable.
        """
        self.folder = folder
        # rustup's cargo runs in the container too; a system's own is installed there again.
        cargo = Path(shutil.which("cargo") or "/usr/bin/cargo").parent
        self.rustup = None if cargo.is_relative_to("/usr") else cargo
        # Those of the system need libraries that the container lacks; pyenv's and uv's do not.
        self.pythons = {
            f"cp{version.replace('.', '')}": Path(executable).resolve()
            for version, executable in pythons.items()
            if not Path(executable).resolve().is_relative_to("/usr")
        }

    def interpreters(self, arch: str) -> list[str]:
        """cibuildwheel's names of the interpreters in an image: "cp311", "cp314t"."""
        return list({ARCHITECTURES[arch].python: None} | self._mounted(arch))

    def image(self, arch: str) -> str:
        """The name of the image for an architecture, which is built unless it is there.

        Raises:
            RuntimeError: this machine cannot build or run it; the text says why.
        """
        emulator = ARCHITECTURES[arch].emulator
        if emulator and not Path(f"/proc/sys/fs/binfmt_misc/qemu-{emulator}").exists():
            raise RuntimeError(
                f"{arch} has to be emulated: apt-get install qemu-user-static binfmt-support, "
                "then update-binfmts --enable"
            )
        listed = " ".join(
            f"{name.removesuffix('t')}-{name}={path}" for name, path in self._mounted(arch).items()
        )
        with _one_at_a_time():
            base = self._base(arch)
            cargo = self.rustup if arch == "x86_64" and self.rustup else Path("/usr/bin")
            arguments = {"BASE": base, "PYTHONS": listed, "CARGO_BIN": str(cargo)}
            return self._build(arch, f"stand-in-{arch}", CONTAINERFILE, arguments)

    def _base(self, arch: str) -> str:
        """A minimal Debian with Python, a C compiler and, unless rustup's is mounted, Rust."""
        suite, target = ARCHITECTURES[arch].suite, ARCHITECTURES[arch].target
        if not target:
            rust = [] if arch == "x86_64" and self.rustup else RUST
            return self._import(arch, f"stand-in-base-{arch}", suite, [*PACKAGES, *rust])
        library = "libstd-rust-web-dev"
        base = self._import(arch, f"stand-in-base-{arch}", suite, [*PACKAGES, library])
        native = self._import("x86_64", "stand-in-native-rust", suite, RUST)
        arguments = {
            "BASE": base,
            "PLATFORM": ARCHITECTURES[arch].platform,
            "NATIVE": native,
            "TARGET": target,
        }
        return self._build(arch, f"stand-in-rust-{arch}", NATIVE_RUST, arguments)

    def _build(self, arch: str, name: str, recipe: Path, arguments: dict[str, str]) -> str:
        """Build an image, unless it is there; its name."""
        environment = self.environment(arch)
        digest = _digest(recipe.read_text("utf-8") + " ".join(arguments.values()))
        name = f"localhost/{name}:{digest}"
        if subprocess.run(["podman", "image", "exists", name], env=environment).returncode == 0:
            return name
        _say(f"{name}: build")
        subprocess.run(
            [
                *("podman", "build", "--quiet", "--network=host"),
                f"--platform={ARCHITECTURES[arch].platform}",
                *(f"--volume={volume}" for volume in self._volumes(arch)),
                *(f"--env={key}={value}" for key, value in self._certificates().items()),
                *(f"--build-arg={key}={value}" for key, value in arguments.items()),
                *(f"--tag={name}", f"--file={recipe}", str(recipe.parent)),
            ],
            env=environment,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        return name

    def environment(self, arch: str) -> dict[str, str]:
        """The variables under which podman runs the images of an architecture."""
        # The machine may give fewer open files than podman asks for, no networks of its
        # own, and both versions of cgroups at once, which crun refuses.
        import resource  # which Windows has not

        files = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 4096)
        volumes = ", ".join(f'"{volume}"' for volume in self._volumes(arch))
        values = self._certificates()
        if arch == "x86_64" and self.rustup:
            values |= {"RUSTUP_HOME": str(_rustup_home())}
        if ARCHITECTURES[arch].emulator:
            values["PIP_RETRIES"] = "20"  # emulated, TLS begins so late that servers hang up
        variables = ", ".join(f'"{key}={value}"' for key, value in values.items())
        configuration = self.folder / f"containers-{arch}.conf"
        configuration.write_text(
            f"""\
[containers]
default_ulimits = ["nofile={files}:{files}", "nproc=4096:4096"]
netns = "host"
volumes = [{volumes}]
env = [{variables}]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
        )
        return os.environ | {"CONTAINERS_CONF": str(configuration), "PATH": self._path(arch)}

    def _path(self, arch: str) -> str:
        """Where commands are found: a podman of ours comes first where Debian's has a gap."""
        path, podman = os.environ["PATH"], shutil.which("podman")
        image = ARCHITECTURES[arch].platform
        if image.count("/") < 2:
            return path
        # cibuildwheel asks for the variant, as in arm/v7, of an image that is there. podman 4.3
        # keeps it and does not tell; without the answer, the image would be looked for elsewhere.
        script = self.folder / f"podman-{arch}" / "podman"
        if not script.exists():
            script.parent.mkdir(exist_ok=True)
            script.write_text(
                "#!/bin/sh\n"
                f'case "$*" in *"{{{{.Variant}}}}") echo {image} ;; '
                f'*) exec "{podman}" "$@" ;; esac\n'
            )
            script.chmod(0o755)
        return f"{script.parent}{os.pathsep}{path}"

    def newest_pythons(self) -> str:
        """The name of an image with the two newest CPythons, from the next release of Debian."""
        packages = ["ca-certificates", *(f"python{version}-venv" for version in PYTHONS[-2:])]
        with _one_at_a_time():
            return self._import("x86_64", "stand-in-newest", NEXT_SUITE, packages)

    def pypy(self) -> str:
        """The name of an image with PyPy, a C compiler and, unless rustup's is mounted, Rust."""
        compilers = ["gcc", "libc6-dev", *([] if self.rustup else ["rustc", "cargo"])]
        packages = ["ca-certificates", "pypy3-venv", "pypy3-dev", *compilers]
        with _one_at_a_time():
            return self._import("x86_64", "stand-in-pypy", NEXT_SUITE, packages)

    def wine32(self) -> str:
        """The name of an image with wine for 32-bit programs."""
        with _one_at_a_time():
            packages = ["ca-certificates", "wine", "wine32"]
            return self._import("i686", "stand-in-wine32", SUITE, packages)

    def _import(self, arch: str, name: str, suite: str, packages: list[str]) -> str:
        """Unpack Debian's packages and make an image of them, unless it is there; its name."""
        environment = self.environment(arch)
        architecture = ARCHITECTURES[arch]
        digest = _digest(" ".join([architecture.platform, *packages]) + SCRIPTS)
        name = f"localhost/{name}:{suite}-{digest}"
        if subprocess.run(["podman", "image", "exists", name], env=environment).returncode == 0:
            return name
        _say(f"{name}: unpack Debian's packages (a minute)")
        log = self.folder / f"mmdebstrap-{suite}-{arch}.log"
        # The machine's apt may know a proxy, or a mirror that is behind.
        settings = self.folder / "apt.conf"
        dump = ["apt-config", "dump", "Acquire"]
        settings.write_text(subprocess.run(dump, capture_output=True, text=True, check=True).stdout)
        command = [
            *(
                "mmdebstrap",
                f"--aptopt={settings}",
                "--mode=root",
                "--variant=extract",
                f"--architectures={architecture.debian}",
            ),
            *("--include=?essential", f"--include={','.join(packages)}"),
            *(f"--extract-hook={SCRIPTS}", "--format=tar", suite, "-", mirror()),
        ]
        _, cpu, *variants = architecture.platform.split("/")
        named = [f"--arch={cpu}", *(f"--variant={variant}" for variant in variants)]
        load = ["podman", "import", "--quiet", *named, "-", name]
        with (
            log.open("w") as output,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=output) as made,
        ):
            loaded = subprocess.run(
                load, stdin=made.stdout, stdout=subprocess.DEVNULL, env=environment
            )
        if made.returncode != 0 or loaded.returncode != 0:
            # What podman made of half an archive would be taken for the image.
            forget = ["podman", "image", "rm", "--force", name]
            subprocess.run(forget, env=environment, capture_output=True)
            raise RuntimeError(f"mmdebstrap failed:\n{log.read_text()[-3000:]}")
        return name

    def _mounted(self, arch: str) -> dict[str, Path]:
        """The interpreters of this machine that the images of an architecture can run."""
        return self.pythons if arch == "x86_64" else {}

    def _volumes(self, arch: str) -> list[str]:
        volumes = [f"{file}:{file}:ro" for file in set(self._certificates().values())]
        if arch == "x86_64":
            prefixes = {path.parents[1] for path in self.pythons.values()}
            volumes += [f"{prefix}:{prefix}:ro" for prefix in sorted(prefixes)]
            if self.rustup:
                toolchains = _rustup_home()
                volumes += [f"{folder}:{folder}:ro" for folder in (self.rustup, toolchains)]
        return volumes

    def _certificates(self) -> dict[str, str]:
        """Where pip and cargo find the machine's certificates, if it has its own."""
        file = os.environ.get("SSL_CERT_FILE")
        keys = ("PIP_CERT", "SSL_CERT_FILE", "CARGO_HTTP_CAINFO")
        return dict.fromkeys(keys, file) if file else {}


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Let other workers wait: all have the same images."""
    import fcntl  # which Windows has not

    with CONTAINERFILE.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _digest(recipe: str) -> str:
    """What tells an image from one that was made otherwise."""
    return hashlib.sha256(recipe.encode()).hexdigest()[:12]


def _rustup_home() -> Path:
    """Where rustup keeps its toolchains; it says so itself."""
    command = ["rustup", "show", "home"]
    return Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())


def mirror() -> str:
    """Where this machine takes Debian's packages from.

    Raises:
        RuntimeError: apt knows no place.
    """
    of_debian = ("Origin: Debian", "Label: Debian")  # except its security updates
    command = ["apt-get", "indextargets", "--format=$(REPO_URI)", *of_debian]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    if not listed:
        raise RuntimeError(
            "apt takes no packages from Debian: run this on Debian, after apt-get update"
        )
    return listed[0]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
