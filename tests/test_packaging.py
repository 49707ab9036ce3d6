"""What is built is complete: every module, every headset, the whole C tree."""

import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]


def source_files() -> dict[str, str]:
    """Installed path of everything that has to be in the wheel, and where it lies here."""
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    folders = {folder: name.replace(".", "/") for name, folder in SETUPTOOLS["package-dir"].items()}
    wanted = {}
    for path in tracked:
        top, _, rest = path.partition("/")
        if top in folders and rest and (ROOT / path).is_file():
            wanted[f"{folders[top]}/{rest}"] = path
    return wanted


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    if not (ROOT / ".git").exists():
        pytest.skip("the list of source files comes from git, and this is not a checkout")
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)],
        check=True, capture_output=True,
    )  # fmt: skip
    return out


def test_every_folder_with_python_is_a_declared_package():
    packages = {name.replace(".", "/") for name in SETUPTOOLS["packages"]}
    found = {str(Path(path).parent) for path in source_files() if path.endswith(".py")}
    assert found == packages


def test_the_wheel_holds_every_module_headset_and_c_file(built):
    names = set(zipfile.ZipFile(next(built.glob("*.whl"))).namelist())
    wanted = source_files()
    assert sorted(set(wanted) - names) == []
    assert any(path.endswith("app.c") for path in wanted)


def test_the_wheel_puts_nothing_beside_psog(built):
    names = zipfile.ZipFile(next(built.glob("*.whl"))).namelist()
    assert {name.split("/")[0] for name in names} == {
        "psog",
        next(n for n in names if "/" in n and "dist-info" in n).split("/")[0],
    }


def test_the_sdist_holds_every_source(built):
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert sorted(set(source_files().values()) - names) == []
    assert {"LICENSE", "README.md", "pyproject.toml"} <= names
