// float64: IEEE binary64 by integer instructions only, rounded to nearest even, nothing flushed.
// A number is its bits, uvec2(low, high): what numpy sees of a float64 as two uint32. A nan that
// comes out is the quiet one without payload. Devices need not have a float64 of their own.
#ifndef FLOAT64_GLSL
#define FLOAT64_GLSL

#include "xfloat_wide.glsl"

const uvec2 F64_ZERO = uvec2(0u);
const uvec2 F64_ONE = uvec2(0u, 0x3FF00000u);
const uvec2 F64_MINUS_ONE = uvec2(0u, 0xBFF00000u);
const uvec2 F64_INFINITY = uvec2(0u, 0x7FF00000u);
const uvec2 F64_NAN = uvec2(0u, 0x7FF80000u);

// (-1)^s * m / 2^63 * 2^(e - 1023) with the top bit of m set; of a zero m is 0 and e the least.
struct F64 { uvec2 m; int e; uint s; };

// ---- Kinds of numbers, sign, comparison ---------------------------------------------------------

uvec2 f64_absolute(uvec2 a) { return uvec2(a.x, a.y & 0x7FFFFFFFu); }
uvec2 f64_negative(uvec2 a) { return uvec2(a.x, a.y ^ 0x80000000u); }
bool f64_is_finite(uvec2 a) { return (a.y & 0x7FF00000u) != 0x7FF00000u; }
bool f64_is_nan(uvec2 a) { return u64_less(F64_INFINITY, f64_absolute(a)); }
bool f64_is_zero(uvec2 a) { return f64_absolute(a) == F64_ZERO; }

// The bits in an order that integers have: those of negative numbers run the other way.
uvec2 f64_ordered(uvec2 a) {
  uint negative = -(a.y >> 31);
  return uvec2(a.x ^ negative, a.y ^ (negative | 0x80000000u));
}

bool f64_less(uvec2 a, uvec2 b) {  // false if one is nan
  bool less = u64_less(f64_ordered(a), f64_ordered(b));
  uint unordered = uint(f64_is_nan(a)) | uint(f64_is_nan(b));
  uint zeros = uint(f64_is_zero(a)) & uint(f64_is_zero(b));
  return (uint(less) & ~(unordered | zeros)) != 0u;
}

// ---- Apart and together -------------------------------------------------------------------------

F64 f64_normal(uvec2 m, int e, uint s) {
  int n = u64_leading_zeros(m);
  return F64(u64_shift_left(m, n), e - n, s);
}

// Of a finite number. The top bit of m is clear where the number is subnormal or zero.
F64 f64_fields(uvec2 a) {
  uint field = a.y >> 20 & 0x7FFu;
  uvec2 m = u64_shift_left(uvec2(a.x, a.y & 0xFFFFFu), 11);
  m.y |= uint(field != 0u) << 31;
  return F64(m, int(max(field, 1u)), a.y >> 31);
}

F64 f64_parts(uvec2 a) {
  F64 fields = f64_fields(a);
  return f64_normal(fields.m, fields.e, fields.s);
}

// m / 2^lost, to the nearest integer, ties to even; ``lost`` is at least 1.
uvec2 f64_shifted(uvec2 m, int lost) {
  uvec2 kept = u64_shift_right(m, lost);
  uvec2 rest = u64_subtract(m, u64_shift_left(kept, lost));
  uvec2 half_unit = u64_shift_left(uvec2(1u, 0u), lost - 1);
  uint up = uint(u64_less(half_unit, rest)) | uint(rest == half_unit) & kept.x & 1u;
  return u64_add(kept, uvec2(up & uint(lost < 65), 0u));
}

// The last bit of m may stand for all that lies behind it.
uvec2 f64_rounded(F64 a) {
  uvec2 kept = f64_shifted(a.m, 11 + max(1 - a.e, 0));
  // A carry out of the fraction runs into the exponent, as it should.
  uvec2 bits = u64_add(kept, uvec2(0u, uint(max(a.e, 1) - 1) << 20));
  bits = u64_select(a.e > 2046, F64_INFINITY, bits) & -uint(a.m.y != 0u);
  return uvec2(bits.x, bits.y | a.s << 31);
}

// ---- float32 and integers -----------------------------------------------------------------------

uvec2 f64_from_float32(uint bits) {
  uint field = bits >> 23 & 0xFFu;
  uint m = bits << 8 & 0x7FFFFFFFu | uint(field != 0u) << 31;
  F64 parts = f64_normal(uvec2(0u, m), int(max(field, 1u)) + 896, bits >> 31);
  uvec2 special = u64_select((bits << 9) != 0u, F64_NAN, F64_INFINITY);
  special.y |= bits & 0x80000000u;
  return u64_select(field == 0xFFu, special, f64_rounded(parts));
}

uint f64_to_float32(uvec2 a) {
  F64 parts = f64_parts(a);
  int e = parts.e - 896;
  uint bits = f64_shifted(parts.m, 40 + max(1 - e, 0)).x + (uint(max(e, 1) - 1) << 23);
  bits = mix(bits & -uint(parts.m.y != 0u), 0x7F800000u, e > 254);
  return mix(bits, 0x7FC00000u, f64_is_nan(a)) | parts.s << 31;
}

uvec2 f64_from_uint(uint a) { return f64_rounded(f64_normal(uvec2(0u, a), 1054, 0u)); }

// ---- + - * / ------------------------------------------------------------------------------------

uvec2 f64_add(uvec2 a, uvec2 b) {
  bool swapped = u64_less(f64_absolute(a), f64_absolute(b));
  uvec2 more = u64_select(swapped, b, a), less = u64_select(swapped, a, b);
  F64 large = f64_fields(more), small = f64_fields(less);
  int shift = large.e - small.e;
  // One bit is free for a carry, and ten lie behind the fraction; the last of them is set if
  // anything lies behind it.
  uvec2 whole = u64_shift_right(large.m, 1), addend = u64_shift_right(small.m, 1);
  uvec2 part = u64_shift_right(addend, shift);
  part.x |= uint(u64_shift_left(part, shift) != addend);
  uint opposite = large.s ^ small.s;
  uvec2 sum = u64_select(opposite == 1u, u64_subtract(whole, part), u64_add(whole, part));
  uint s = mix(large.s, large.s & small.s, sum == uvec2(0u));
  uvec2 result = f64_rounded(f64_normal(sum, large.e + 1, s));
  uint clash = uint(!f64_is_finite(less)) & opposite | uint(f64_is_nan(more));
  return u64_select(f64_is_finite(more), result, u64_select(clash == 1u, F64_NAN, more));
}

uvec2 f64_sub(uvec2 a, uvec2 b) { return f64_add(a, f64_negative(b)); }

uvec2 f64_mul(uvec2 a, uvec2 b) {
  F64 x = f64_parts(a), y = f64_parts(b);
  uvec4 product = u64_multiply(x.m, y.m);
  product.z |= uint(product.xy != uvec2(0u));
  uvec2 result = f64_rounded(f64_normal(product.zw, x.e + y.e - 1022, x.s ^ y.s));
  uvec2 endless = uvec2(0u, F64_INFINITY.y | (x.s ^ y.s) << 31);
  uint finite = uint(f64_is_finite(a)) & uint(f64_is_finite(b));
  uint invalid = uint(f64_is_nan(a)) | uint(f64_is_nan(b));
  invalid |= (uint(f64_is_zero(a)) | uint(f64_is_zero(b))) & ~finite;
  return u64_select(invalid != 0u, F64_NAN, u64_select(finite == 1u, result, endless));
}

uvec2 f64_div(uvec2 a, uvec2 b) {
  F64 x = f64_parts(a), y = f64_parts(b);
  uvec2 divisor = y.m | U64_TOP;
  int halve = int(!u64_less(x.m, divisor));  // so that the quotient fills 64 bits
  uvec4 division = u128_divide(uvec4(0u, 0u, u64_shift_right(x.m, halve)), divisor);
  division.x |= uint(division.zw != uvec2(0u));
  uint s = x.s ^ y.s;
  uvec2 result = f64_rounded(F64(division.xy & -uint(x.m.y != 0u), x.e - y.e + 1022 + halve, s));
  result &= uvec2(-uint(f64_is_finite(b)), -uint(f64_is_finite(b)) | 0x80000000u);  // a / infinity
  uvec2 endless = uvec2(0u, F64_INFINITY.y | s << 31);
  uint infinite = uint(!f64_is_finite(a)) | uint(f64_is_zero(b));
  uint invalid = uint(f64_is_zero(a)) & uint(f64_is_zero(b));
  invalid |= uint(!f64_is_finite(a)) & uint(!f64_is_finite(b));
  invalid |= uint(f64_is_nan(a)) | uint(f64_is_nan(b));
  return u64_select(invalid != 0u, F64_NAN, u64_select(infinite != 0u, endless, result));
}

#endif
