// Integers of 64 bits (uvec2) and 128 bits (uvec4), lowest word first: what xfloat is made of.
// Shift counts may pass the width, and the result is 0 then; of a negative one it is any number.
// Selections instead of branches, here and in xfloat: some drivers take seconds over branches.
#ifndef XFLOAT_WIDE_GLSL
#define XFLOAT_WIDE_GLSL

const uvec2 U64_TOP = uvec2(0u, 0x80000000u);

uvec2 u64_select(bool condition, uvec2 a, uvec2 b) { return mix(b, a, bvec2(condition)); }
uvec4 u128_select(bool condition, uvec4 a, uvec4 b) { return mix(b, a, bvec4(condition)); }

bool u64_less(uvec2 a, uvec2 b) { return mix(a.y < b.y, a.x < b.x, a.y == b.y); }

uvec2 u64_add(uvec2 a, uvec2 b) {
  uint carry;
  uint low = uaddCarry(a.x, b.x, carry);
  return uvec2(low, a.y + b.y + carry);
}

uvec2 u64_subtract(uvec2 a, uvec2 b) { return uvec2(a.x - b.x, a.y - b.y - uint(a.x < b.x)); }

int u64_leading_zeros(uvec2 a) {  // 64 for 0, where findMSB is -1
  return mix(63 - findMSB(a.x), 31 - findMSB(a.y), a.y != 0u);
}

uvec2 u64_shift_left(uvec2 a, int n) {
  a = u64_select(n > 31, uvec2(0u, a.x & -uint(n < 64)), a);
  int k = n & 31;
  return a << k | (uvec2(0u, a.x) >> 1) >> (31 - k);
}

uvec2 u64_shift_right(uvec2 a, int n) {
  a = u64_select(n > 31, uvec2(a.y & -uint(n < 64), 0u), a);
  int k = n & 31;
  return a >> k | (uvec2(a.y, 0u) << 1) << (31 - k);
}

uvec4 u64_multiply(uvec2 a, uvec2 b) {
  uvec2 low, cross, other, high;
  umulExtended(a.x, b.x, low.y, low.x);
  umulExtended(a.x, b.y, cross.y, cross.x);
  umulExtended(a.y, b.x, other.y, other.x);
  umulExtended(a.y, b.y, high.y, high.x);
  uint carry1, carry2, carry3, carry4;
  uint word1 = uaddCarry(low.y, cross.x, carry1);
  word1 = uaddCarry(word1, other.x, carry2);
  // The upper word of a product is never so large that one more would not fit.
  uint word2 = uaddCarry(cross.y + carry1, other.y + carry2, carry3);
  word2 = uaddCarry(word2, high.x, carry4);
  return uvec4(low.x, word1, word2, high.y + carry3 + carry4);
}

// a * b / 2^64, rounded to nearest.
uvec2 u64_multiply_high(uvec2 a, uvec2 b) {
  uvec4 product = u64_multiply(a, b);
  return u64_add(product.zw, uvec2(product.y >> 31, 0u));
}

uvec4 u128_add(uvec4 a, uvec4 b) {
  uvec2 low = u64_add(a.xy, b.xy);
  uvec2 carry = uvec2(uint(u64_less(low, a.xy)), 0u);
  return uvec4(low, u64_add(u64_add(a.zw, b.zw), carry));
}

uvec4 u128_subtract(uvec4 a, uvec4 b) {
  uvec2 borrow = uvec2(uint(u64_less(a.xy, b.xy)), 0u);
  return uvec4(u64_subtract(a.xy, b.xy), u64_subtract(u64_subtract(a.zw, b.zw), borrow));
}

int u128_leading_zeros(uvec4 a) {
  int high = u64_leading_zeros(a.zw);
  return mix(high, 64 + u64_leading_zeros(a.xy), high == 64);
}

uvec4 u128_shift_left(uvec4 a, int n) {
  a = u128_select(n > 63, uvec4(0u, 0u, a.xy & -uint(n < 128)), a);
  a = u128_select((n & 32) != 0, uvec4(0u, a.xyz), a);
  int k = n & 31;
  return a << k | (uvec4(0u, a.xyz) >> 1) >> (31 - k);
}

uvec4 u128_shift_right(uvec4 a, int n) {
  a = u128_select(n > 63, uvec4(a.zw & -uint(n < 128), 0u, 0u), a);
  a = u128_select((n & 32) != 0, uvec4(a.yzw, 0u), a);
  int k = n & 31;
  return a >> k | (uvec4(a.yzw, 0u) << 1) << (31 - k);
}

// a * b / 2^128, up to 3 units too low: the lowest product is left out.
uvec4 u128_multiply_high(uvec4 a, uvec4 b) {
  uvec4 high = u64_multiply(a.zw, b.zw);
  high = u128_add(high, uvec4(u64_multiply(a.zw, b.xy).zw, 0u, 0u));
  return u128_add(high, uvec4(u64_multiply(a.xy, b.zw).zw, 0u, 0u));
}

// floor((2^64 - 1) / d) - 2^32 for d with its top bit set. Newton's 1 / d, times 2^63 and never too
// large, starts within 1/17 (from 48/17 - 32/17 d, d below 1); after three rounds no more than 7 are
// missing in the result. Drivers divide integers lane by lane, so nothing here divides.
uint u32_reciprocal(uint d) {
  uint high, low, digit, unused;
  umulExtended(d, 0xF0F0F0F0u, high, low);
  uint inverse = 0x69696968u - high;
  for (int i = 2; i >= 0; i--) {
    umulExtended(d, inverse, high, low);
    umulExtended(inverse, ~high, high, low);
    inverse = high << 1 | low >> 31;
  }
  uint reciprocal = (inverse << 1) & -(inverse >> 31);
  umulExtended(d, reciprocal, high, low);
  uvec2 rest = uvec2(~low, ~d - high);
  umulExtended(rest.y << 27 | rest.x >> 5, inverse, digit, unused);
  digit >>= 26;
  umulExtended(d, digit, high, low);
  rest = u64_subtract(rest, uvec2(low, high));
  return reciprocal + digit + uint(!u64_less(rest, uvec2(d, 0u)));
}

// floor((2^96 - 1) / d) - 2^32 for d with its top bit set, from that of its upper word.
uint u64_reciprocal(uvec2 d) {
  uint reciprocal = u32_reciprocal(d.y);
  uint product = d.y * reciprocal + d.x;
  uint over = uint(product < d.x);
  uint twice = over & uint(product >= d.y);
  reciprocal -= over + twice;
  product -= d.y & -over;
  product -= d.y & -twice;
  uint high, low;
  umulExtended(reciprocal, d.x, high, low);
  product += high;
  over = uint(product < high);
  return reciprocal - over - (over & uint(!u64_less(uvec2(low, product), d)));
}

// (quotient, remainder) of a by a divisor with its top bit set and above a.zw, in two digits of 32
// bits: N. Moeller and T. Granlund, Improved division by invariant integers, IEEE Trans. Comput.
// 60 (2011), algorithms 4 and 6.
uvec4 u128_divide(uvec4 a, uvec2 divisor) {
  uint reciprocal = u64_reciprocal(divisor);
  uvec2 rest = a.zw, next = a.xy, quotient = uvec2(0u);
  for (int i = 1; i >= 0; i--) {
    uvec2 guess, product;
    umulExtended(reciprocal, rest.y, guess.y, guess.x);
    guess = u64_add(guess, rest);
    umulExtended(divisor.x, guess.y, product.y, product.x);
    rest = u64_subtract(uvec2(next.y, rest.x - guess.y * divisor.y), product);
    rest = u64_subtract(rest, divisor);
    uint large = uint(rest.y >= guess.x);
    rest = u64_add(rest, divisor & -large);
    uint small = uint(!u64_less(rest, divisor));
    rest = u64_subtract(rest, divisor & -small);
    quotient = uvec2(guess.y + 1u - large + small, quotient.x);
    next = uvec2(0u, next.x);
  }
  return uvec4(quotient, rest);
}

#endif
