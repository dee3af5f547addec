// xfloat: numbers with a 64-bit significand, by integer instructions only. grilly/xfloat is the
// same arithmetic on numpy, bit for bit; docs/xfloat.md has the format and the measured errors.
#ifndef XFLOAT_GLSL
#define XFLOAT_GLSL

#include "xfloat_wide.glsl"
#include "xfloat_tables.glsl"

// (-1)^s * (hi:lo) * 2^(e - 64) with the top bit of hi set; zero is all fields 0.
struct X { uint hi; uint lo; int e; uint s; };
// A logarithm: (-1)^s * m * 2^(e - 128), m with the lowest word first and its top bit set, or 0.
struct L { uvec4 m; int e; uint s; };

const int X_EXPONENT_LIMIT = 1 << 24;
const int X_LOG_OF_ZERO_EXPONENT = 1 << 25;
const X X_ZERO = X(0u, 0u, 0, 0u);
const X X_ONE = X(0x80000000u, 0u, 1, 0u);

uvec2 x_significand(X a) { return uvec2(a.lo, a.hi); }

// ---- Choice, sign, comparison -------------------------------------------------------------------

X x_where(bool condition, X a, X b) {
  return X(mix(b.hi, a.hi, condition), mix(b.lo, a.lo, condition),
           mix(b.e, a.e, condition), mix(b.s, a.s, condition));
}
bool x_where(bool condition, bool a, bool b) { return mix(b, a, condition); }

X x_negative(X a) { return X(a.hi, a.lo, a.e, a.s ^ uint(a.hi != 0u)); }
X x_absolute(X a) { return X(a.hi, a.lo, a.e, 0u); }

bool x_smaller(X a, X b) {  // |a| < |b|
  bool m_less = u64_less(x_significand(a), x_significand(b));
  bool less = mix(a.e < b.e, m_less, a.e == b.e);
  return mix(less, a.hi < b.hi, min(a.hi, b.hi) == 0u);
}

bool x_less(X a, X b) {
  bool negative = a.s == 1u;
  bool positive = b.s == 0u;
  bool smaller = x_smaller(x_where(negative, b, a), x_where(negative, a, b));
  return mix(mix(false, smaller, positive), mix(smaller, true, positive), negative);
}

bool x_less_equal(X a, X b) { return !x_less(b, a); }
bool x_greater(X a, X b) { return x_less(b, a); }
bool x_greater_equal(X a, X b) { return !x_less(a, b); }
bool x_not_equal(X a, X b) {
  return ((a.hi ^ b.hi) | (a.lo ^ b.lo) | uint(a.e ^ b.e) | (a.s ^ b.s)) != 0u;
}
bool x_equal(X a, X b) { return !x_not_equal(a, b); }

X x_minimum(X a, X b) { return x_where(x_less(b, a), b, a); }
X x_maximum(X a, X b) { return x_where(x_less(a, b), b, a); }

// ---- Normal forms -------------------------------------------------------------------------------

// m is 0 or has its top bit set. Above the range stands the largest number, below it lies zero.
X x_make(uvec2 m, int e, uint s) {
  uint nonzero = -(uint(m.y != 0u) & uint(e >= -X_EXPONENT_LIMIT));
  m = (m | -uint(e > X_EXPONENT_LIMIT)) & nonzero;
  return X(m.y, m.x, min(e, X_EXPONENT_LIMIT) & int(nonzero), s & nonzero);
}

// Of m + up; up is 0 or 1.
X x_rounded(uvec2 m, uint up, int e, uint s) {
  m = u64_add(m, uvec2(up, 0u));
  uint carry = up & uint(m.y == 0u);
  return x_make(uvec2(m.x, m.y | carry << 31), e + int(carry), s);
}

X x_normal(uvec2 m, int e, uint s) {
  int n = u64_leading_zeros(m);
  return x_make(u64_shift_left(m, n), e - n, s);
}

L l_normal(uvec4 m, int e, uint s) {
  int n = u128_leading_zeros(m);
  uint nonzero = -uint(n < 128);
  return L(u128_shift_left(m, n), (e - n) & int(nonzero), s & nonzero);
}

// ---- Words in memory, integers, float32 ---------------------------------------------------------

X x_from_words(uint lo, uint hi, uint last) { return X(hi, lo, int(last) >> 1, last & 1u); }

uvec3 x_to_words(X a) { return uvec3(a.lo, a.hi, uint(a.e) << 1 | a.s); }

L l_from_words(uint m0, uint m1, uint m2, uint m3, uint last) {
  return L(uvec4(m0, m1, m2, m3), int(last) >> 1, last & 1u);
}

X x_from_uint64(uvec2 a) { return x_normal(a, 64, 0u); }

X x_from_int64(uvec2 a) {
  uint s = a.y >> 31;
  return x_normal(u64_select(s == 1u, u64_subtract(uvec2(0u), a), a), 64, s);
}

// The bits of the nearest float32, ties to even, with gradual underflow and infinity. A significand
// within 64 units of a tie is that tie: the exact value was one, and a formula's error moved it.
uint x_float32(X a) {
  int exponent = a.e + 126;
  int lost = 40 + max(1 - exponent, 0);
  uvec2 kept = u64_shift_right(x_significand(a), lost);
  uvec2 rest = u64_subtract(x_significand(a), u64_shift_left(kept, lost));
  uvec2 above_tie = u64_subtract(rest, u64_shift_left(uvec2(1u, 0u), lost - 1));
  bool tie = u64_less(u64_add(above_tie, uvec2(64u, 0u)), uvec2(129u, 0u));
  uint up = mix(~above_tie.y >> 31, kept.x & 1u, tie);
  // A carry out of the fraction runs into the exponent, as it should.
  uint bits = (uint(max(exponent, 1) - 1) << 23) + kept.x + up;
  bits = mix(bits, 0x7F800000u, exponent > 254);
  return a.s << 31 | (bits & -(uint(a.hi != 0u) & uint(lost < 65)));
}

// ---- + - * / sqrt: correctly rounded, ties away from zero ---------------------------------------

// 2 m, with the top bit of the word behind it.
uvec2 x_doubled(uvec2 m, uint behind) { return u64_add(m, m) | uvec2(behind >> 31, 0u); }

X x_add(X a, X b) {
  bool swapped = x_smaller(a, b);
  X large = x_where(swapped, b, a);
  X small = x_where(swapped, a, b);
  int shift = large.e - small.e;
  uvec2 whole = x_significand(large);
  uvec2 part = x_significand(small);
  // What of small lies behind the last place of large. Shifted by 65 it keeps a sticky bit; from
  // 66 on it is less than a quarter of the last place and cannot change the rounding.
  uvec2 last = u64_shift_right(part, 1) | uvec2(part.x & 1u, 0u);
  last &= -uint(shift < 66);
  uvec2 behind = u64_select(shift > 64, last, u64_shift_left(part, 64 - shift));
  // A difference is the sum with the complement.
  uint opposite = large.s ^ small.s;
  uint borrowed = opposite & uint(behind == uvec2(0u));
  behind = u64_add(behind ^ -opposite, uvec2(opposite, 0u));
  uvec2 sum = u64_add(whole, u64_shift_right(part, shift) ^ -opposite);
  sum = u64_add(sum, uvec2(borrowed, 0u));
  uint carry = uint(u64_less(sum, whole)) & (opposite ^ 1u);
  uint missing = (sum.y >> 31 ^ 1u) & (carry ^ 1u);  // is the top bit?
  uint up = mix((behind.y << missing) >> 31, sum.x & 1u, carry == 1u);
  uvec2 halved = u64_shift_right(sum, 1) | U64_TOP;
  sum = u64_select(carry == 1u, halved, sum);
  sum = u64_select(missing == 1u, x_doubled(sum, behind.y), sum);
  // With more than one bit missing the shift was less than 2, and there is nothing to round.
  int zeros = u64_leading_zeros(sum);
  int e = large.e + int(carry) - int(missing) - zeros;
  return x_rounded(u64_shift_left(sum, zeros), up, e, large.s);
}

X x_sub(X a, X b) { return x_add(a, x_negative(b)); }

X x_mul(X a, X b) {
  uvec4 product = u64_multiply(x_significand(a), x_significand(b));
  uint missing = product.w >> 31 ^ 1u;  // is the top bit?
  uvec2 m = u64_select(missing == 1u, x_doubled(product.zw, product.y), product.zw);
  return x_rounded(m, (product.y << missing) >> 31, a.e + b.e - int(missing), a.s ^ b.s);
}

// The significand of a over 1 or 2, so that its quotient by b, or its root, fills 64 bits.
uvec4 x_dividend(uvec2 m, bool halve) {
  return u128_select(halve, uvec4(0u, m.x << 31, u64_shift_right(m, 1)), uvec4(0u, 0u, m));
}

// a / b, from what u128_divide made of x_dividend.
X x_quotient(X a, X b, uvec4 division, uvec2 divisor, bool halve) {
  uint up = uint(!u64_less(division.zw, u64_subtract(divisor, division.zw)));
  uint nonzero = uint(a.hi != 0u);
  int e = mix(a.e - b.e + int(halve), X_EXPONENT_LIMIT + 1, b.hi == 0u);  // or a / 0
  return x_rounded(division.xy & -nonzero, up & nonzero, e, a.s ^ b.s);
}

X x_div(X a, X b) {
  uvec2 divisor = x_significand(b) | U64_TOP;
  bool halve = !u64_less(x_significand(a), divisor);
  uvec4 division = u128_divide(x_dividend(x_significand(a), halve), divisor);
  return x_quotient(a, b, division, divisor, halve);
}

X x_sqrt(X a) {
  bool odd = (a.e & 1) != 0;
  uvec4 radicand = x_dividend(x_significand(a), odd);
  uint seed = 0u;  // the upper half of the root, bit by bit
  for (int i = 31; i >= 0; i--) {
    uint larger = seed | 1u << i;
    uvec2 square;
    umulExtended(larger, larger, square.y, square.x);
    seed = mix(larger, seed, u64_less(radicand.zw, square));
  }
  // With all lower bits set it is too large by 2^32 at most, and one step of Heron's leaves less
  // than one. Only the largest radicand equals it: too large a quotient for 64 bits, all ones.
  uvec2 start = uvec2(~0u, seed) | U64_TOP;
  uvec2 quotient = u128_divide(radicand, start).xy;
  quotient |= -uint(!u64_less(radicand.zw, start));
  uvec2 root = u64_add(start & quotient, u64_shift_right(start ^ quotient, 1));
  uvec4 left = u128_subtract(radicand, u64_multiply(root, root));
  bool below = left.w >> 31 == 1u;  // the root is too large: the true one lies below it
  bool over = (left.z | left.w) != 0u;
  uint up = uint(mix(mix(u64_less(root, left.xy), true, over), false, below));
  uvec2 missing = u64_subtract(uvec2(0u), left.xy);
  uint down = uint(mix(false, !u64_less(missing, root), below));
  uint real = uint(a.hi != 0u) & (a.s ^ 1u);
  root = u64_subtract(root, uvec2(down, 0u)) & -real;
  return x_rounded(root, up & real, (a.e + 1) >> 1, 0u);
}

#include "xfloat_functions.glsl"

#endif
