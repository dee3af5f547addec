"""Run-time compilation: what makes an entry of the cache, and what happens to a damaged one."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import child
import pytest
import vk_shaders

from grilly import vk
from grilly.errors import ShaderError
from grilly.vk import cache, tool

TEXT = vk_shaders.AFFINE
pytestmark = pytest.mark.usefixtures("fresh_compiler")


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
