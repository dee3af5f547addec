"""Print the constants of xfloat, for GLSL and for Python, from their definitions in mpmath.

python tools/print_xfloat_tables.py            write the files
python tools/print_xfloat_tables.py --check    exit 1 if one differs from what would be written
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from committed import ROOT, keep
from mpmath import mp, mpf

GLSL = ROOT / "shaders/include"
PYTHON = ROOT / "grilly/xfloat/tables.py"
ORIGIN = "Printed by tools/print_xfloat_tables.py: change it there."

mp.prec = 600
LOG_STEP_MAX = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2
TURN_WORDS = 21  # of exponents up to 1024, sin and cos look at 256 bits, and one word more


class Table(NamedTuple):
    """Numbers in fixed point: ``bits`` wide, ``fraction`` of them behind the point."""

    name: str
    meaning: str
    bits: int
    fraction: int
    values: Sequence[mpf]

    def integers(self) -> list[int]:
        """Return the values as integers, rounded to nearest; each must fit the width."""
        integers = [int(mp.nint(value * mpf(2) ** self.fraction)) for value in self.values]
        if not all(0 <= integer < 1 << self.bits for integer in integers):
            raise ValueError(f"{self.name} does not fit {self.bits} bits: {integers}")
        return integers


def polynomial(function: Callable[[mpf], mpf], end: mpf, terms: int, bits: int) -> list[mpf]:
    """Return the coefficients, lowest power first, of what meets ``function`` on (0, end].

    It meets it in Chebyshev's points, and must be within 2**-bits of it between them.
    """
    knots = [end * (1 + mp.cospi((k + mpf(1) / 2) / terms)) / 2 for k in range(terms)]
    between = [end * (1 + mp.cospi(mpf(k) / terms)) / 2 for k in range(terms)]
    powers = mp.matrix([[x**k for k in range(terms)] for x in knots])
    coefficients = list(mp.lu_solve(powers, mp.matrix([function(x) for x in knots])))
    values = [mp.fsum(c * x**k for k, c in enumerate(coefficients)) for x in between]
    error = max(abs(function(x) - value) for x, value in zip(between, values, strict=True))
    if error > mpf(2) ** -bits:
        raise ValueError(f"{terms} terms leave an error of 2**{float(mp.log(error, 2)):.1f}")
    return coefficients


def half_cosine_falloff(w: mpf) -> mpf:
    """Return what half_cosine(x) / x**2 has lost since x = 0, divided by w = 4 x**2."""
    return (mp.pi**2 / 4 - 4 * mp.sin(mp.pi * mp.sqrt(w) / 4) ** 2 / w) / w


def exp2_growth(u: mpf) -> mpf:
    """Return 16 (2**(u / 16) - 1) / u."""
    return 16 * mp.expm1(u * mp.ln2 / 16) / u


def log2_slope(z: mpf) -> mpf:
    """Return log2((1 + y) / (1 - y)) / y for z = y**2."""
    return 2 * mp.atanh(mp.sqrt(z)) / mp.sqrt(z) / mp.ln2


def odd_falloff(function: Callable[[mpf], mpf]) -> Callable[[mpf], mpf]:
    """Return what function(x) / x has lost since x = 0, where it is 1, divided by w = x**2."""
    return lambda w: (1 - function(mp.sqrt(w)) / mp.sqrt(w)) / w


def cosine_falloff(w: mpf) -> mpf:
    """Return (1 - cos(x)) / x**2 for w = x**2."""
    return (1 - mp.cos(mp.sqrt(w))) / w


def falling(name: str, meaning: str, coefficients: Sequence[mpf]) -> Table:
    """Return the table of a fall-off: its signs alternate, and Table refuses a negative one."""
    values = [c * (-1) ** k for k, c in enumerate(coefficients)]
    return Table(name, f"{meaning}, signs alternating", 64, 64, values)


def turns() -> list[mpf]:
    """Return the bits of 2 / pi behind 66 zeros, cut off, as words with their point in front."""
    with mp.workprec(64 * TURN_WORDS + 64):
        bits = int(2 / mp.pi * mpf(2) ** (64 * TURN_WORDS - 66))
    words = [bits >> 64 * i & ((1 << 64) - 1) for i in reversed(range(TURN_WORDS))]
    return [mpf(word) / (1 << 64) for word in words]


def core() -> list[Table]:
    """Return the constants that every shader has."""
    falloff = polynomial(half_cosine_falloff, mpf(1), 9, 71)
    slope = polynomial(log2_slope, LOG_STEP_MAX * (1 + mpf(2) ** -40), 15, 108)
    return [
        Table("HALF_COSINE_FIRST", "pi**2 / 4 - 2", 64, 64, [mp.pi**2 / 4 - 2]),
        falling("HALF_COSINE", "its fall-off in 4 x**2", falloff),
        Table("ROOTS", "2**(i / 16)", 64, 63, [mpf(2) ** (mpf(i) / 16) for i in range(16)]),
        Table("EXP2", "16 (2**(u / 16) - 1) / u", 64, 64, polynomial(exp2_growth, mpf(1), 8, 70)),
        Table("SQRT_HALF", "sqrt(1 / 2)", 64, 64, [mp.sqrt(mpf(1) / 2)]),
        Table("LOG2_WIDE", "log2((1 + y) / (1 - y)) / y in y**2", 128, 126, slope[:8]),
        Table("LOG2", "the same, from y**16 on", 64, 62, slope[8:]),
    ]


def transcendental() -> list[Table]:
    """Return the constants of exp, log, sin, cos and tanh."""
    eighth = (mp.pi / 4) ** 2 * (1 + mpf(2) ** -40)
    sine = polynomial(odd_falloff(mp.sin), eighth, 8, 70)
    cosine = polynomial(cosine_falloff, eighth, 8, 70)
    tangent = polynomial(odd_falloff(mp.tanh), mpf(1) / 4, 13, 70)
    return [
        Table("LOG2_E", "log2(e)", 128, 127, [mp.log(mp.e, 2)]),
        Table("LN2", "ln(2)", 128, 128, [mp.ln2]),
        Table("LOG10_2", "log10(2)", 128, 128, [mp.log10(2)]),
        Table("HALF_PI", "pi / 2", 128, 127, [mp.pi / 2]),
        Table("TURNS", "the bits of 2 / pi behind 66 zeros", 64, 64, turns()),
        falling("SIN", "(1 - sin(x) / x) / x**2 in x**2", sine),
        falling("COS", "(1 - cos(x)) / x**2 in x**2", cosine),
        falling("TANH", "(1 - tanh(x) / x) / x**2 in x**2", tangent),
    ]


def tables() -> dict[str, list[Table]]:
    """Return every constant of xfloat by the GLSL file that holds it."""
    return {
        "xfloat_tables.glsl": core(),
        "xfloat_transcendental_tables.glsl": transcendental(),
    }


def glsl_value(integer: int, bits: int) -> str:
    """Return ``integer`` as a vector of words, lowest first."""
    words = [f"0x{integer >> shift & 0xFFFFFFFF:08X}u" for shift in range(0, bits, 32)]
    return f"uvec{len(words)}({', '.join(words)})"


def glsl_table(table: Table) -> str:
    """Return the declaration of one table: a constant, or an array with its length."""
    kind = f"uvec{table.bits // 32}"
    values = [glsl_value(integer, table.bits) for integer in table.integers()]
    comment = f"// {table.meaning}; {table.fraction} bits behind the point.\n"
    if len(values) == 1:
        return f"{comment}const {kind} X_{table.name} = {values[0]};\n"
    rows = ",\n  ".join(values)
    length = f"const int X_{table.name}_TERMS = {len(values)};\n"
    return f"{comment}{length}const {kind} X_{table.name}[{len(values)}] = {kind}[](\n  {rows});\n"


def python_table(table: Table) -> str:
    """Return the assignment of one table: an integer, or a tuple of integers."""
    values = [f"0x{integer:0{table.bits // 4}X}" for integer in table.integers()]
    comment = f"# {table.meaning}; {table.fraction} bits behind the point.\n"
    if len(values) == 1:
        return f"{comment}{table.name} = {values[0]}\n"
    return f"{comment}{table.name} = (\n" + "".join(f"    {value},\n" for value in values) + ")\n"


def files() -> dict[Path, str]:
    """Return the text of each printed file."""
    python = f'"""Constants of xfloat. {ORIGIN}"""\n\nfrom __future__ import annotations\n\n'
    printed = {}
    for name, group in tables().items():
        title = f"// Constants of {name.replace('_tables', '')}. {ORIGIN}\n"
        printed[GLSL / name] = title + "".join(map(glsl_table, group))
        python += "".join(map(python_table, group))
    return printed | {PYTHON: python}


def main(arguments: list[str]) -> int:
    """Write the files, or with --check compare them; return the exit code."""
    return keep(files(), [], arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
