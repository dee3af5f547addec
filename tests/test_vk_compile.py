"""Run-time compilation: what a compiler must do to count, and the cache of its work."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import child
import pytest
import vk_shaders

from grilly import shaders, vk
from grilly.errors import ShaderError
from grilly.vk import cache, tool
from grilly.vk import compile as compile_module

TEXT = vk_shaders.AFFINE


@pytest.fixture(autouse=True)
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache, and no memory of which compilers work."""
    monkeypatch.setenv("GRILLY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(compile_module, "_probed", {})


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every program that is run, by name."""
    names: list[str] = []
    real = tool.Tool.run

    def counted(self: tool.Tool, arguments: list[str], folder: Path) -> tuple[int, str]:
        names.append(self.path.name)
        return real(self, arguments, folder)

    monkeypatch.setattr(tool.Tool, "run", counted)
    return names


def entries(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache" / "spirv").iterdir())


def test_a_compiled_shader_is_valid(tmp_path):
    (tmp_path / "shader.spv").write_bytes(vk.compile_glsl(TEXT))
    command = ["spirv-val", "--target-env", "vulkan1.1", str(tmp_path / "shader.spv")]
    subprocess.run(command, check=True)


def test_the_second_time_nothing_is_run(runs):
    code = vk.compile_glsl(TEXT)
    assert "glslangValidator" in runs
    runs.clear()
    assert vk.compile_glsl(TEXT) == code
    assert runs == []


def test_text_defines_and_includes_make_the_entry(tmp_path, runs):
    include = tmp_path / "include"
    include.mkdir()
    (include / "one.glsl").write_text("const uint ONE = 1u;\n")
    text = (
        "#version 450\n#extension GL_GOOGLE_include_directive : require\n"
        '#include "one.glsl"\nlayout(std430, binding = 0) buffer X { uint x[]; };\n'
        "void main() { x[0] = ONE + VALUE; }\n"
    )
    first = vk.compile_glsl(text, ["VALUE=2"], include)
    assert vk.compile_glsl(text, ["VALUE=3"], include) != first
    (include / "one.glsl").write_text("const uint ONE = 11u;\n")
    assert vk.compile_glsl(text, ["VALUE=2"], include) != first
    (include / "one.glsl").write_text("const uint ONE = 1u;\n")
    runs.clear()
    assert vk.compile_glsl(text, ["VALUE=2"], include) == first
    assert runs == []


def test_keys_do_not_run_together():
    assert cache.key([b"ab", b"c"]) != cache.key([b"a", b"bc"])


DAMAGE = {
    "flipped bit": lambda data: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:],
    "cut": lambda data: data[:-4],
    "longer": lambda data: data + b"\0\0\0\0",
    "empty": lambda data: b"",
    "bare SPIR-V": lambda data: data[len(cache.MAGIC) + cache.DIGEST :],
    "only a header": lambda data: data[: len(cache.MAGIC) + cache.DIGEST],
}


@pytest.mark.parametrize("case", DAMAGE)
def test_a_damaged_entry_is_made_again(tmp_path, runs, case):
    code = vk.compile_glsl(TEXT)
    [entry] = entries(tmp_path)
    good = entry.read_bytes()
    entry.write_bytes(DAMAGE[case](good))
    runs.clear()
    assert vk.compile_glsl(TEXT) == code
    assert runs
    assert entry.read_bytes() == good


def test_an_entry_under_another_name_is_not_taken(tmp_path):
    one = vk.compile_glsl(TEXT)
    [first] = entries(tmp_path)
    two = vk.compile_glsl(vk_shaders.SPIN)
    [second] = set(entries(tmp_path)) - {first}
    os.replace(second, first)
    assert vk.compile_glsl(TEXT) == one != two


def test_the_cache_is_the_user_s_own(tmp_path):
    vk.compile_glsl(TEXT)
    folder = tmp_path / "cache" / "spirv"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o777)
    vk.compile_glsl(TEXT)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_a_cache_of_someone_else_is_not_trusted(tmp_path, runs):
    code = vk.compile_glsl(TEXT)
    os.chown(tmp_path / "cache" / "spirv", 12345, -1)
    runs.clear()
    assert vk.compile_glsl(TEXT) == code
    assert runs


NO_CACHE = {
    "a file in the way": lambda folder: folder.write_text("x"),
    "the entry is a folder": lambda folder: None,
    "full disk": lambda folder: None,
}


@pytest.mark.parametrize("case", NO_CACHE)
def test_no_cache_is_a_miss(tmp_path, monkeypatch, case):
    NO_CACHE[case](tmp_path / "cache")
    if case == "the entry is a folder":
        vk.compile_glsl(TEXT)
        [entry] = entries(tmp_path)
        entry.unlink()
        entry.mkdir()
    if case == "full disk":
        monkeypatch.setattr(os, "replace", _no_space)
    assert vk.compile_glsl(TEXT) == vk.compile_glsl(TEXT)
    if case == "full disk":
        assert entries(tmp_path) == []


def _no_space(*arguments: object) -> None:
    raise OSError(28, "No space left on device")


def test_writers_at_the_same_time(tmp_path):
    """A reader sees a whole entry or none, whoever writes at the moment."""
    code = """
        import os, time
        from grilly.vk import cache
        payload = bytes(range(256)) * 400
        end = time.monotonic() + 1.5
        seen = rounds = 0
        while time.monotonic() < end:
            cache.store("entry", payload)
            found = cache.load("entry")
            assert found in (None, payload)
            seen += found is not None
            rounds += 1
        assert seen == rounds > 50, (seen, rounds)
    """
    writers = [child.start(code) for _ in range(3)]
    for writer in writers:
        _, errors = writer.communicate(timeout=60)
        assert writer.returncode == 0, errors
    assert [entry.name for entry in entries(tmp_path)] == ["entry"]


BAD_TEXT = {
    "syntax": "#version 450\nvoid main() { x }\n",
    "empty": "",
    "not a shader": "hello\n",
    "not ASCII": "#version 450\nvoid main() { é }\n",
    "missing include": "#version 450\n#extension GL_GOOGLE_include_directive : require\n"
    '#include "nowhere.glsl"\nvoid main() {}\n',
}


@pytest.mark.parametrize("case", BAD_TEXT)
def test_the_compiler_s_words_are_passed_on(tmp_path, case):
    with pytest.raises(ShaderError, match=r"glslang(.|\n)*(ERROR|error)"):
        vk.compile_glsl(BAD_TEXT[case])
    assert not (tmp_path / "cache" / "spirv").exists() or not entries(tmp_path)


@pytest.mark.parametrize("define", ["-h", "A B", "A=$(x)", "1A", "", "A=1\n"])
def test_a_define_is_a_name_and_a_number(define):
    with pytest.raises(ValueError, match="defines"):
        vk.compile_glsl(TEXT, [define])


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


def test_the_next_compiler_is_taken_when_one_is_broken(tmp_path, monkeypatch, runs):
    path = fake(tmp_path / "bin", "exit 0")
    real = vk.find_compiler().tool.path
    compile_module._probed.clear()
    beside = tmp_path / "beside"
    (beside / "bin").mkdir(parents=True)
    (beside / "bin" / "glslangValidator").symlink_to(real)
    monkeypatch.setenv("PATH", f"{path.parent}:/bin")
    monkeypatch.setattr(sys, "prefix", str(beside))
    if (path.parent / "glslang").exists() or Path("/bin/glslangValidator").exists():
        monkeypatch.setenv("PATH", str(path.parent))
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
