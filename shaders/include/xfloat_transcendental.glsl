// xfloat: exp, log, sin, cos, tanh. Included by those shaders only that call one of them.
#ifndef XFLOAT_TRANSCENDENTAL_GLSL
#define XFLOAT_TRANSCENDENTAL_GLSL

#include "xfloat.glsl"
#include "xfloat_transcendental_tables.glsl"

const int X_TURNS_EXPONENT = 1024;  // X_TURNS has what numbers below 2^1024 need of 2 / pi

// +-m * 2^(e - 128), rounded to nearest.
X x_normal_rounded(uvec4 m, int e, uint s) {
  int n = u128_leading_zeros(m);
  m = u128_shift_left(m, n);
  return x_rounded(m.zw, m.y >> 31, e - n, s);
}

// ---- e^x and logarithms -------------------------------------------------------------------------

X x_exp(X x) { return x_power_from_log(L(X_LOG2_E, 1, 0u), x); }

// log * scale / 2^128.
X x_scaled_log(L log, uvec4 scale) {
  return x_normal_rounded(u128_multiply_high(log.m, scale), log.e, log.s);
}

X x_log(X a) { return x_scaled_log(x_log2(a), X_LN2); }
X x_log10(X a) { return x_scaled_log(x_log2(a), X_LOG10_2); }

X x_rounded_log2(X a) {
  L log = x_log2(a);
  return x_normal_rounded(log.m, log.e, log.s);
}

// ---- Sine and cosine ----------------------------------------------------------------------------

// x^2 < 1 with 64 bits behind the point.
uvec2 x_square_fixed(X x) {
  X square = x_mul(x, x);
  return u64_shift_right(x_significand(square), -square.e);
}

// 1 - fall / 2^64 for a fall of at most 1/2; exact.
X x_one_minus(uvec2 fall) {
  bool whole = fall == uvec2(0u);
  return x_make(u64_select(whole, U64_TOP, u64_subtract(uvec2(0u), fall)), int(whole), 0u);
}

// |x| * 2 / pi modulo 4, highest word first, two bits before the point; e = x.e at most 1024.
void x_turn_product(uvec2 m, int e, out uvec2 words[4]) {
  int word = e >> 6, offset = e & 63;
  uvec2 carry = uvec2(0u);
  for (int k = 3; k >= 0; k--) {
    uvec2 bits = u64_shift_left(X_TURNS[word + k], offset);
    bits |= u64_shift_right(X_TURNS[word + k + 1], 64 - offset);
    uvec4 product = u128_add(u64_multiply(bits, m), uvec4(carry, 0u, 0u));
    words[k] = product.xy;
    carry = product.zw;
  }
}

// distance * 2^(e - 128) * pi / 2; the top bit of distance is set, or almost.
X x_angle(uvec4 distance, int e, uint s) {
  return x_normal_rounded(u128_multiply_high(distance, X_HALF_PI), e + 1, s);
}

// |x| = quadrant * pi / 2 + angle modulo 2 pi, |angle| <= pi / 4; of x below 1/2 the angle is x.
// Of 2 / pi it takes the 256 bits that decide |x| * 2 / pi modulo 4, to 2^-190.
X x_reduced(X x, out uint quadrant) {
  uvec2 words[4];
  uvec2 m = x_significand(x) & -uint(x.e <= X_TURNS_EXPONENT);
  x_turn_product(m, clamp(x.e, 0, X_TURNS_EXPONENT), words);
  uint below = words[0].y >> 29 & 1u;  // the next multiple?
  quadrant = (words[0].y >> 30) + below & -uint(x.e >= 0);
  // The distance is what stands behind these two bits; to the next multiple, its complement.
  uvec4 distance = uvec4(words[1], words[0]) ^ -below;
  distance.w &= ~0u >> 2;
  uvec2 behind = words[2] ^ -below;
  int zeros = u64_leading_zeros(distance.zw);  // 64 at most: then 128 bits are still enough
  distance = u128_shift_left(distance, zeros);
  distance |= uvec4(u64_shift_right(behind, 64 - zeros), 0u, 0u);
  return x_where(x.e < 0, x_absolute(x), x_angle(distance, 2 - zeros, below));
}

// |x| * pi = quadrant * pi / 2 + angle modulo 2 pi, |angle| <= pi / 4: 2 |x| modulo 4 is exact.
X x_reduced_turns(X x, out uint quadrant) {
  int e = x.e + 1;
  uvec4 twice = u128_shift_left(uvec4(x_significand(x), 0u, 0u), max(e, 0));  // and 64 places
  uint below = twice.y >> 31 & uint(e >= 0);
  quadrant = twice.z + below;
  uvec2 distance = u64_select(below == 1u, u64_subtract(uvec2(0u), twice.xy), twice.xy);
  int zeros = u64_leading_zeros(distance);
  uvec4 wide = uvec4(0u, 0u, u64_shift_left(distance, zeros));
  return x_angle(wide, min(e, 0) - zeros, below);
}

// sin(quadrant * pi / 2 + angle).
X x_sine(uint quadrant, X angle) {
  bool odd = (quadrant & 1u) == 1u;
  uvec2 w = x_square_fixed(angle);
  uvec2 fall = u64_select(odd, X_COS[X_SIN_TERMS - 1], X_SIN[X_SIN_TERMS - 1]);
  for (int k = X_SIN_TERMS - 2; k >= 0; k--)
    fall = u64_subtract(u64_select(odd, X_COS[k], X_SIN[k]), u64_multiply_high(w, fall));
  X factor = x_one_minus(u64_multiply_high(w, fall));
  X value = x_mul(x_where(odd, X_ONE, angle), factor);
  value.s ^= quadrant >> 1 & uint(value.hi != 0u);
  return value;
}

// a with the sign of x turned into it: odd functions are computed of |x|.
X x_odd(X x, X a) { return X(a.hi, a.lo, a.e, a.s ^ x.s & uint(a.hi != 0u)); }

X x_sin(X x) {
  uint quadrant;
  X angle = x_reduced(x, quadrant);
  return x_odd(x, x_sine(quadrant, angle));
}

X x_cos(X x) {
  uint quadrant;
  X angle = x_reduced(x, quadrant);
  return x_sine(quadrant + 1u, angle);
}

X x_sinpi(X x) {
  uint quadrant;
  X angle = x_reduced_turns(x, quadrant);
  return x_odd(x, x_sine(quadrant, angle));
}

X x_cospi(X x) {
  uint quadrant;
  X angle = x_reduced_turns(x, quadrant);
  return x_sine(quadrant + 1u, angle);
}

// ---- Hyperbolic tangent -------------------------------------------------------------------------

X x_tanh(X x) {
  X size = x_absolute(x);
  X decay = x_exp(X(x.hi, x.lo, x.e + 1, uint(x.hi != 0u)));  // e^(-2 |x|)
  X far = x_div(x_sub(X_ONE, decay), x_add(X_ONE, decay));
  uvec2 w = x_square_fixed(size);
  uvec2 fall = X_TANH[X_TANH_TERMS - 1];
  for (int k = X_TANH_TERMS - 2; k >= 0; k--)
    fall = u64_subtract(X_TANH[k], u64_multiply_high(w, fall));
  X near = x_mul(size, x_one_minus(u64_multiply_high(w, fall)));
  return x_odd(x, x_where(x.e < 0, near, far));
}

#endif
