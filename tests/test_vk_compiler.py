"""Compilers: which one is found, what it must do to count, and shaders that the build compiled."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import vk_shaders

from grilly import shaders, vk
from grilly.errors import ShaderError
from grilly.vk import compile as compile_module
from grilly.vk import tool

TEXT = vk_shaders.AFFINE
pytestmark = pytest.mark.usefixtures("fresh_compiler")


def entries(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache" / "spirv").iterdir())


BROKEN = {  # name: (the compiler, a POSIX shell script; word in the error)
    "rc 0 without output": ("exit 0", "0 bytes"),
    "rc 0 with garbage": ('printf "garbage garbage garbage." > "$out"', "not SPIR-V"),
    "rc 0 with a cut file": (
        '"$real" "$@" >/dev/null; head -c 40 "$out" > "$out.x"; mv "$out.x" "$out"',
        "damaged",
    ),
    "rc 1 with output": ('"$real" "$@"; exit 1', "exit code 1"),
    "hangs": ("sleep 60 & wait", "did not end"),
    "hangs with a full pipe": ("yes", "did not end"),
    "crashes": ("kill -SEGV $$", "exit code -11"),
    "speaks Latin-1": ("printf '\\351\\377 oh no\\n' >&2; exit 2", "oh no"),
    "reads its input": ('cat; "$real" "$@"; rm -f "$out"', "0 bytes"),
}

SCRIPT = """#!/bin/sh
real={real}
previous=
for argument in "$@"; do [ "$previous" = -o ] && out="$argument"; previous="$argument"; done
{body}
"""


def fake(folder: Path, body: str, name: str = "glslangValidator") -> Path:
    """Write a compiler that is a shell script."""
    real = vk.find_compiler().tool.path
    compile_module._probed.clear()
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(SCRIPT.format(real=real, body=body))
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_compiler_does_not_count(tmp_path, monkeypatch, case):
    body, word = BROKEN[case]
    monkeypatch.setenv("GRILLY_GLSLANG", str(fake(tmp_path / "bin", body)))
    monkeypatch.setattr(tool, "TIMEOUT", 1.0)
    begin = time.monotonic()
    with pytest.raises(ShaderError, match=word):
        vk.compile_glsl(TEXT)
    assert time.monotonic() - begin < 5
    assert not (tmp_path / "cache" / "spirv").exists() or not entries(tmp_path)


def test_a_compiler_that_breaks_later_is_found_out(tmp_path, monkeypatch):
    body = 'if grep -q factor "${@: -1}"; then exit 0; else "$real" "$@"; fi'
    path = fake(tmp_path / "bin", body)
    path.write_text(path.read_text().replace("#!/bin/sh", "#!/bin/bash"))
    monkeypatch.setenv("GRILLY_GLSLANG", str(path))
    assert vk.find_compiler().tool.path == path
    with pytest.raises(ShaderError, match="0 bytes"):
        vk.compile_glsl(TEXT)


def test_the_next_compiler_is_taken_when_one_is_broken(tmp_path, monkeypatch):
    path = fake(tmp_path / "bin", "exit 0")
    real = vk.find_compiler().tool.path
    compile_module._probed.clear()
    beside = tmp_path / "beside"
    (beside / "bin").mkdir(parents=True)
    (beside / "bin" / "glslangValidator").symlink_to(real)
    monkeypatch.setenv("PATH", str(path.parent))
    monkeypatch.setattr(sys, "prefix", str(beside))
    assert vk.find_compiler().tool.path == beside / "bin" / "glslangValidator"


MISSING = {
    "no such file": ("/nowhere/glslangValidator", "/nowhere"),
    "not executable": (__file__, "no program"),
}


@pytest.mark.parametrize("case", MISSING)
def test_a_chosen_compiler_that_is_missing(monkeypatch, case):
    path, word = MISSING[case]
    monkeypatch.setenv("GRILLY_GLSLANG", path)
    with pytest.raises(ShaderError, match=word):
        vk.compile_glsl(TEXT)


def test_no_compiler_at_all(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(ShaderError, match="glslang-tools"):
        vk.compile_glsl(TEXT)


def test_the_cmeel_wheel_s_compiler_gets_its_libraries(tmp_path, monkeypatch):
    """It does not start without: its loader path is checked here by a script in its place."""
    site = tmp_path / "site"
    prefix = site / "cmeel.prefix"
    (prefix / "bin").mkdir(parents=True)
    body = f'[ "$LD_LIBRARY_PATH" = "{prefix}/lib" ] || exit 1\n"$real" "$@"'
    fake(prefix / "bin", body)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(sys, "path", [str(site)])
    assert vk.find_compiler().tool.path == prefix / "bin" / "glslangValidator"


def test_a_validator_that_refuses_everything_does_not_count(tmp_path, monkeypatch):
    path = fake(tmp_path / "bin", "exit 1", "spirv-val")
    monkeypatch.setenv("PATH", f"{path.parent}:{os.environ['PATH']}")
    vk.compile_glsl(TEXT)
    validator = vk.find_compiler().validator
    assert validator is None or validator.path != path


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A spirv/ folder with one shader and its manifest, as the build writes them."""
    folder = tmp_path / "spirv"
    (folder / "optim").mkdir(parents=True)
    (folder / "optim" / "one.spv").write_bytes(vk.compile_glsl(TEXT))
    digest = subprocess.run(
        ["sha256sum", "optim/one.spv"], cwd=folder, check=True, capture_output=True, text=True
    ).stdout
    (folder / "SHA256SUMS").write_text(digest)
    monkeypatch.setattr(shaders, "SPIRV", folder)
    monkeypatch.setattr(shaders, "MANIFEST", folder / "SHA256SUMS")
    return folder


def test_a_shipped_shader_is_checked(shipped):
    assert shaders.spirv("optim/one") == vk.compile_glsl(TEXT)
    path = shipped / "optim" / "one.spv"
    path.write_bytes(path.read_bytes()[:-4] + b"\0\0\0\0")
    with pytest.raises(ShaderError, match="not what was built"):
        shaders.spirv("optim/one")


@pytest.mark.parametrize("name", ["optim/one.spv", "SHA256SUMS"])
def test_a_missing_shipped_file_says_how_to_build_it(shipped, name):
    (shipped / name).unlink()
    with pytest.raises(ShaderError, match="cmake"):
        shaders.spirv("optim/one")
