"""Stand-ins for the manylinux images, built of Debian packages where no registry can be reached.

They let the real cibuildwheel run, with the real configuration of a rendered project. What they
do not stand in for: the age of the real images' glibc, and how these install Rust.
Needed: root, and the Debian packages podman, netavark, runc and debootstrap; for architectures
that this CPU does not run, qemu-user-static and binfmt-support too.
"""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.template import PYTHONS

SUITE = "bookworm"
NEXT_SUITE = "forky"
# cibuildwheel's name of an architecture: Debian's, podman's platform; QEMU's, if it is emulated.
ARCHITECTURES = {
    "x86_64": ("amd64", "linux/amd64", ""),
    "i686": ("i386", "linux/386", ""),
    "aarch64": ("arm64", "linux/arm64", "aarch64"),
    "armv7l": ("armhf", "linux/arm/v7", "arm"),
    "ppc64le": ("ppc64el", "linux/ppc64le", "ppc64le"),
    "s390x": ("s390x", "linux/s390x", "s390x"),
}
CONTAINERFILE = Path(__file__).parent / "images" / "Containerfile"
COMMANDS = ["podman", "runc", "debootstrap"]


def missing() -> list[str]:
    """What this machine lacks to build and run stand-ins; empty where it can."""
    lacks = [command for command in COMMANDS if shutil.which(command) is None]
    if sys.platform != "linux" or os.geteuid() != 0:
        lacks.append("root on Linux")
    return lacks


class StandIns:
    """Builds the images that are asked for, and the configuration that podman runs them with."""

    def __init__(self, folder: Path, pythons: dict[str, str]) -> None:
        """folder: for the configuration and what is unpacked; pythons: "3.12" to an executable."""
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

    def image(self, arch: str) -> str:
        """The name of the image for an architecture, which is built unless it is there."""
        debian, platform, emulator = ARCHITECTURES[arch]
        if emulator and not Path(f"/proc/sys/fs/binfmt_misc/qemu-{emulator}").exists():
            raise RuntimeError(
                f"{arch} has to be emulated: apt-get install qemu-user-static binfmt-support, "
                "then update-binfmts --enable"
            )
        pythons = self.pythons if arch == "x86_64" else {}
        listed = " ".join(f"{name}={path}" for name, path in pythons.items())
        recipe = CONTAINERFILE.read_text() + SUITE + listed + " ".join(self._base_packages(arch))
        name = f"localhost/stand-in-{arch}:{_digest(recipe)}"
        with _one_at_a_time():
            self._build(arch, debian, platform, listed, name)
        return name

    def _build(self, arch: str, debian: str, platform: str, listed: str, name: str) -> None:
        """Build an image, unless it is there."""
        environment = self.environment(arch)
        exists = subprocess.run(["podman", "image", "exists", name], env=environment)
        if exists.returncode == 0:
            return
        base = self._base(arch, debian)
        cargo = self.rustup if arch == "x86_64" and self.rustup else Path("/usr/bin")
        _say(f"{name}: add the interpreters")
        subprocess.run(
            [
                *("podman", "build", "--quiet", "--network=host", f"--platform={platform}"),
                *(f"--volume={volume}" for volume in self._volumes(arch)),
                *(f"--env={key}={value}" for key, value in self._certificates().items()),
                *(f"--build-arg={key}={value}" for key, value in {
                    "BASE": base, "PYTHONS": listed, "CARGO_BIN": str(cargo),
                }.items()),
                *(f"--tag={name}", f"--file={CONTAINERFILE}", str(CONTAINERFILE.parent)),
            ],
            env=environment,
            stdout=subprocess.DEVNULL,
            check=True,
        )  # fmt: skip

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
        return os.environ | {"CONTAINERS_CONF": str(configuration)}

    def newest_pythons(self) -> str:
        """The name of an image with the two newest CPythons, from the next release of Debian."""
        name = "localhost/stand-in-newest"
        packages = ["ca-certificates"]
        packages += [f"python{version}-venv" for version in PYTHONS[-2:]]
        with _one_at_a_time():
            return self._import("x86_64", name, NEXT_SUITE, "amd64", packages)

    def _base(self, arch: str, debian: str) -> str:
        """A minimal Debian with Python, a C compiler and, off this CPU, Debian's Rust."""
        packages = self._base_packages(arch)
        return self._import(arch, f"localhost/stand-in-base-{arch}", SUITE, debian, packages)

    def _base_packages(self, arch: str) -> list[str]:
        packages = ["ca-certificates", "python3", "python3-venv", "python3-dev", "gcc", "libc6-dev"]
        if arch != "x86_64" or not self.rustup:
            packages += ["rustc-web", "cargo-web"]
        return packages

    def _import(self, arch: str, name: str, suite: str, debian: str, packages: list[str]) -> str:
        """Unpack Debian's packages and make an image of them, unless it is there; its name."""
        environment = self.environment(arch)
        name = f"{name}:{suite}-{_digest(' '.join(packages))}"
        if subprocess.run(["podman", "image", "exists", name], env=environment).returncode == 0:
            return name
        _say(f"{name}: unpack Debian's packages (a minute or two)")
        root = self.folder / f"root-{suite}-{arch}"
        shutil.rmtree(root, ignore_errors=True)
        options = [f"--arch={debian}", "--variant=minbase", f"--include={','.join(packages)}"]
        # A release that this debootstrap does not know yet is unpacked like the unstable one.
        script = "/usr/share/debootstrap/scripts/sid"
        log = self.folder / f"debootstrap-{suite}-{arch}.log"
        with log.open("w") as output:
            command = ["debootstrap", *options, suite, str(root), mirror(), script]
            made = subprocess.run(command, stdout=output, stderr=output)
        if made.returncode != 0:
            raise RuntimeError(f"debootstrap failed:\n{log.read_text()[-3000:]}")
        for litter in ("var/cache/apt/archives", "var/lib/apt/lists", "usr/share/doc"):
            shutil.rmtree(root / litter, ignore_errors=True)
        with subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE) as tar:
            subprocess.run(
                ["podman", "import", "--quiet", f"--arch={debian}", "-", name],
                stdin=tar.stdout,
                stdout=subprocess.DEVNULL,
                env=environment,
                check=True,
            )
        shutil.rmtree(root)
        return name

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
    """Where this machine takes Debian's packages from."""
    command = ["apt-get", "indextargets", "--format=$(REPO_URI)", f"Codename: {SUITE}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[0]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
