# /// script
# requires-python = ">=3.11"
# dependencies = ["nox[uv]>=2026.10"]
# ///
"""Every check of the monorepo, and the CI matrix: packages are discovered, so adding one edits no list here.

``nox`` runs what CI runs; ``nox -s demo``, ``bench``, ``kills``, ``newest``, ``optional`` and ``release`` are run by
hand.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nox
from filelock import FileLock
from uv import find_uv_bin

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))

from tools.pip_to_uv import pip_configuration, uv_environment  # noqa: E402
from tools.workspace import CORE, Package, affected, changed_paths, digest, discover, python_versions  # noqa: E402


def has_kills(package: Package) -> bool:
    """Return whether any test of the package kills a job that can resume."""
    return any("mark.kills" in test.read_text() for test in package.folder.glob("tests/test_*.py"))


PACKAGES = {package.name: package for package in discover(ROOT)}
PUBLISHED = [name for name in PACKAGES if name != CORE]
WITH_PARTNERS = [name for name, package in PACKAGES.items() if "optional" in package.groups]
WITH_KILLS = [name for name in PUBLISHED if has_kills(PACKAGES[name])]
PYTHONS = python_versions(ROOT)
OLDEST = PYTHONS[0]
REPORTS = ROOT / ".nox" / "reports"
WHEEL_BYTES = 200_000

nox.options.default_venv_backend = "uv"
nox.options.download_python = "never"
# All may run side by side (nox --parallel 2); those that take longest come first.
nox.options.allow_parallel = True
nox.options.sessions = ["build", "together", "types", "tests", "lowest", "lint"]

for variable, value in uv_environment(pip_configuration()).items():
    os.environ.setdefault(variable, value)
# Without bytecode every session would compile torch again, which doubles the time of each import.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def untouched(session: nox.Session, package: Package) -> None:
    """Skip the session when its package did not change since the revision in CHANGED_SINCE."""
    since = os.environ.get("CHANGED_SINCE")
    if since and package.name not in affected(PACKAGES.values(), changed_paths(since, ROOT)):
        session.skip(f"{package.name} is not touched since {since}")


def uv(session: nox.Session, *arguments: str) -> None:
    """Run uv for the session's environment."""
    session.run_install(find_uv_bin(), *arguments, external=True)


def build_wheel(session: nox.Session, package: Package) -> Path:
    """Build the sdist, and the wheel from that sdist, once for each state of the files; return the wheel."""
    cache = session.cache_dir.resolve() / package.name
    folder = cache / digest(package)
    copied_core = package.folder / "src" / package.import_name / "_core"  # which types reads
    cache.mkdir(exist_ok=True)
    with FileLock(cache / "lock"):
        if not folder.is_dir() or (package.carries_core and not copied_core.is_dir()):
            for old in cache.glob("*/"):
                shutil.rmtree(old)
            partial = cache / "partial"
            uv(session, "build", "--quiet", "--out-dir", str(partial), str(package.folder))
            partial.rename(folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


def group(package: Package, name: str) -> list[str]:
    """Return the arguments that install one of the package's dependency groups."""
    return ["--group", f"{package.folder}/pyproject.toml:{name}"] if name in package.groups else []


def with_extras(wheel: Path, package: Package) -> str:
    """Return the requirement that installs the wheel with all its extras."""
    return f"{wheel}[{','.join(package.extras)}]" if package.extras else str(wheel)


def install_wheels(session: nox.Session, packages: list[Package]) -> None:
    """Install the packages' wheels with all their extras."""
    session.install(*(with_extras(build_wheel(session, package), package) for package in packages))


@contextmanager
def outside(session: nox.Session) -> Iterator[None]:
    """Change to an empty folder, so that nothing is imported from the source tree by accident."""
    with tempfile.TemporaryDirectory() as folder, session.chdir(folder):
        yield


def run_pytest(session: nox.Session, *arguments: str) -> None:
    """Run pytest from outside the source tree with the root's settings, and keep its report for the summary."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    report = REPORTS / f"{session.name.replace('/', '-')}.xml"
    with outside(session):
        # fmt: off
        session.run("python", "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), f"--rootdir={ROOT}",
                    "-p", "no:cacheprovider", f"--junitxml={report}", *arguments, *session.posargs)
        # fmt: on


def package_tests(package: Package, *, slow: bool) -> list[str]:
    """Return pytest's arguments for one package: its tests, its README and its installed docstrings."""
    markers = ["-m", "not kills" if slow else "not slow and not kills"]
    places = [str(package.folder / "tests"), str(package.folder / "README.md"), package.import_name]
    # Partners that are programs of their own are for the session optional, not for doctest to look at.
    optional_tests = f"--ignore-glob={package.folder}/tests/optional_*.py"
    return [*markers, "--doctest-modules", optional_tests, "--pyargs", *places]


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, docstrings and what every package must have."""
    session.install("ruff>=0.13")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("python", "-m", "tools.check")


@nox.session(python=OLDEST)
def types(session: nox.Session) -> None:
    """Type-check every package with all its extras installed."""
    packages = list(PACKAGES.values())
    install_wheels(session, packages)
    session.install("mypy>=1.18")
    for package in packages:
        session.run("mypy", str(package.folder / "src" / package.import_name))
    session.run("mypy", "tools")


@nox.session(python=OLDEST)
@nox.parametrize("package", list(PACKAGES), ids=list(PACKAGES))
def build(session: nox.Session, package: str) -> None:
    """Build sdist and wheel into dist/ and check what an index would refuse."""
    untouched(session, PACKAGES[package])
    folder = ROOT / "dist" / package
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(build_wheel(session, PACKAGES[package]).parent, folder)
    session.install("twine>=6", "check-wheel-contents>=0.6")
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    session.run("twine", "check", "--strict", str(wheel), str(sdist))
    session.run("check-wheel-contents", str(wheel))
    if wheel.stat().st_size > WHEEL_BYTES:
        session.error(f"{wheel.name}: expected at most {WHEEL_BYTES} bytes, got {wheel.stat().st_size}")


@nox.session(python=PYTHONS, reuse_venv=False)
@nox.parametrize("package", list(PACKAGES), ids=list(PACKAGES))
def tests(session: nox.Session, package: str) -> None:
    """Import every module of the built wheel with its declared dependencies alone, then run the tests on it."""
    chosen = PACKAGES[package]
    untouched(session, chosen)
    wheel = build_wheel(session, chosen)
    session.install(str(wheel))
    with outside(session):
        session.run("python", str(ROOT / "tools" / "import_all.py"), chosen.import_name, *chosen.extras)
    session.install(with_extras(wheel, chosen), *group(chosen, "test"))
    run_pytest(session, *package_tests(chosen, slow=session.python == OLDEST))


@nox.session(python=OLDEST, reuse_venv=False)
@nox.parametrize("package", PUBLISHED, ids=PUBLISHED)
def lowest(session: nox.Session, package: str) -> None:
    """Run the tests with the lowest versions of the direct dependencies."""
    chosen = PACKAGES[package]
    untouched(session, chosen)
    wheel = build_wheel(session, chosen)
    lowered = ["--resolution", "lowest-direct", "--only-binary", ":all:"]
    # On the wheel itself the resolver would lower nothing, so the requirements are named and the wheel comes after.
    session.install(*lowered, *chosen.requirements, *group(chosen, "test"))
    session.install("--no-deps", str(wheel))
    session.run("python", str(ROOT / "tools" / "floors.py"), *chosen.requirements)
    run_pytest(session, *package_tests(chosen, slow=False))


@nox.session(python=PYTHONS[-1], reuse_venv=False)
@nox.parametrize("package", PUBLISHED, ids=PUBLISHED)
def newest(session: nox.Session, package: str) -> None:
    """Run the tests with the newest release of everything, whatever pip's constraints say."""
    chosen = PACKAGES[package]
    wheel = with_extras(build_wheel(session, chosen), chosen)
    session.install(wheel, *group(chosen, "test"), env={"UV_CONSTRAINT": None})
    uv(session, "pip", "list")
    run_pytest(session, *package_tests(chosen, slow=False))


@nox.session(python=OLDEST, reuse_venv=False)
@nox.parametrize("package", WITH_KILLS, ids=WITH_KILLS)
def kills(session: nox.Session, package: str) -> None:
    """Kill every job that can resume at ten random points and compare its rerun with an uninterrupted run; minutes."""
    chosen = PACKAGES[package]
    session.install(with_extras(build_wheel(session, chosen), chosen), *group(chosen, "test"))
    run_pytest(session, "-v", "-m", "kills", str(chosen.folder / "tests"))


@nox.session(python=OLDEST, reuse_venv=False)
def together(session: nox.Session) -> None:
    """Install all wheels in one environment and test what no package can test alone."""
    install_wheels(session, [PACKAGES[name] for name in PUBLISHED])
    session.install("-r", str(ROOT / "tests" / "requirements.txt"))
    run_pytest(session, str(ROOT / "tests"))


@nox.session(python=OLDEST, reuse_venv=False)
@nox.parametrize("package", WITH_PARTNERS, ids=WITH_PARTNERS)
def optional(session: nox.Session, package: str) -> None:
    """Run tests/optional_*.py against partners that are programs of their own; a missing one is a failure."""
    chosen = PACKAGES[package]
    session.install(
        with_extras(build_wheel(session, chosen), chosen), *group(chosen, "test"), *group(chosen, "optional")
    )
    run_pytest(session, "-v", *map(str, sorted((chosen.folder / "tests").glob("optional_*.py"))))


@nox.session(python=OLDEST)
def demo(session: nox.Session) -> None:
    """Tell the story on real data and write demo/report.html; ``-- --only simloss`` runs one chapter."""
    install_wheels(session, [PACKAGES[name] for name in PUBLISHED])
    session.install("-r", str(ROOT / "demo" / "requirements.txt"))
    session.run("python", "-m", "demo", *session.posargs)


@nox.session(python=OLDEST, allow_parallel=False)
def bench(session: nox.Session) -> None:
    """Measure ratios against the peers in the same run and write BENCHMARKS.md; ``-- simloss`` measures one package."""
    for package in [PACKAGES[name] for name in (session.posargs or PUBLISHED)]:
        # Nothing is left of the package before: its partners may hold back what this one wants.
        uv(session, "venv", "--quiet", "--clear", "--python", OLDEST, session.virtualenv.location)
        session.install(str(build_wheel(session, package)), *group(package, "bench"))
        rows = Path(session.create_tmp()).resolve() / f"{package.name}.json"
        rows.unlink(missing_ok=True)
        with outside(session):
            session.run("python", str(package.folder / "benchmarks" / "bench.py"), "--json", str(rows))
        # After each package, so that a run that is stopped keeps what it has measured.
        session.run("python", "-m", "tools.benchmarks", str(rows), silent=True)
    session.run("python", "-m", "tools.benchmarks")


@nox.session
def release(session: nox.Session) -> None:
    """Release a package: ``nox -s release -- simloss minor --dry-run``."""
    session.run("python", "-m", "tools.release", *session.posargs)


if __name__ == "__main__":
    nox.main()
