// xfloat: whole numbers, and by polynomials in fixed point powers, logarithms and the half cosine.

// ---- Whole numbers ------------------------------------------------------------------------------

X x_floor(X a) {
  int places = clamp(64 - a.e, 0, 64);  // of the significand, behind the point
  uvec2 m = x_significand(a);
  uvec2 whole = u64_shift_left(u64_shift_right(m, places), places);
  uint down = a.s & uint(whole != m);
  uvec2 unit = u64_shift_left(uvec2(down, 0u), places);
  uvec2 away = u64_add(whole, unit);
  uint carry = down & uint(away.y == 0u);
  away.y |= carry << 31;
  return x_make(away, mix(a.e + int(carry), 1, places == 64), a.s);  // -1 from what lies above it
}

// |a| // |b| and what remains, exact below 2^64; from there on, and for b = 0, |a / b| and 0.
void x_truncated_division(X a, X b, out X quotient, out X rest) {
  int shift = a.e - b.e;
  uvec2 m = x_significand(a);
  uvec2 divisor = x_significand(b) | U64_TOP;
  bool halve = !u64_less(m, divisor);
  bool fits = mix(shift < 64, !halve, shift == 64);
  fits = mix(fits, false, b.hi == 0u);
  uvec2 start = m & -uint(shift >= 0);
  uvec4 shifted = uvec4(u64_shift_left(start, shift), u64_shift_right(start, 64 - shift));
  uvec4 division = u128_divide(u128_select(fits, shifted, x_dividend(m, halve)), divisor);
  X real = x_absolute(x_quotient(a, b, division, divisor, halve));
  quotient = x_where(fits, x_normal(division.xy, 64, 0u), real);
  rest = x_where(shift < 0, x_absolute(a), x_normal(division.zw, b.e, 0u));
  rest = x_where(fits, rest, X_ZERO);
}

X x_floor_divide(X a, X b) {
  X quotient, rest;
  x_truncated_division(a, b, quotient, rest);
  uint opposite = a.s ^ b.s;
  bool below = (opposite & uint(rest.hi != 0u)) == 1u;
  X whole = x_add(quotient, x_where(below, X_ONE, X_ZERO));
  whole.s = opposite & uint(whole.hi != 0u);
  return whole;
}

X x_remainder(X a, X b) {
  X quotient, rest;
  x_truncated_division(a, b, quotient, rest);
  rest.s = a.s & uint(rest.hi != 0u);
  bool other_side = ((a.s ^ b.s) & uint(rest.hi != 0u)) == 1u;
  return x_add(rest, x_where(other_side, b, X_ZERO));
}

// ---- 2^x ----------------------------------------------------------------------------------------

// 2^(whole + fraction / 2^64).
X x_exp2_fraction(uvec2 fraction, int whole) {
  uvec2 root = X_ROOTS[fraction.y >> 28];
  uvec2 u = u64_shift_left(fraction, 4);
  uvec2 growth = X_EXP2[X_EXP2_TERMS - 1];
  for (int k = X_EXP2_TERMS - 2; k >= 0; k--)
    growth = u64_add(X_EXP2[k], u64_multiply_high(u, growth));
  growth = u64_multiply_high(root, u64_multiply_high(u, growth));
  uvec2 m = u64_add(root, u64_shift_right(u64_add(growth, uvec2(8u, 0u)), 4));
  bool carry = m.y >> 31 == 0u;
  return x_make(u64_select(carry, U64_TOP, m), whole + 1 + int(carry), 0u);
}

// 2^(+-v * 2^(e - 128)); v is 0 or has its top bit set.
X x_exp2_fixed(uvec4 v, int e, uint s) {
  uvec4 twice = u128_shift_right(v, 63 - e);
  uvec4 fixed_point = u128_shift_right(u128_add(twice, uvec4(1u, 0u, 0u, 0u)), 1);
  uvec2 fraction = fixed_point.xy;
  int whole = int(fixed_point.z);
  // Of a negative number the integer part is its floor. Too large a number saturates.
  whole = mix(whole, -whole - int(fraction != uvec2(0u)), s == 1u);
  fraction = u64_select(s == 1u, u64_subtract(uvec2(0u), fraction), fraction);
  bool large = mix(false, v.w != 0u, e > 26);
  whole = mix(whole, 4 * X_EXPONENT_LIMIT * (1 - 2 * int(s)), large);
  return x_exp2_fraction(fraction, whole);
}

X x_exp2(X a) { return x_exp2_fixed(uvec4(0u, 0u, x_significand(a)), a.e, a.s); }

// ---- Logarithm and power ------------------------------------------------------------------------

// n / (2^64 + d) * 2^(128 + zeros), to 120 bits; n has that many leading zeros.
uvec4 l_ratio(uvec2 n, uvec2 d, int zeros) {
  n = u64_shift_left(n, zeros);
  // A reciprocal that is a little too small leaves a remainder of at most 68 bits, never below 0.
  uvec2 reciprocal = u128_divide(
    uvec4(~0u, ~0u, ~0u, 0x7FFFFFFFu), u64_shift_right(d, 1) | U64_TOP).xy;
  reciprocal = u64_subtract(reciprocal, uvec2(3u, 0u));
  uvec2 first = u64_multiply(n, reciprocal).zw;
  uvec4 left = u128_subtract(uvec4(0u, 0u, u64_subtract(n, first)), u64_multiply(first, d));
  uvec2 second = u64_multiply_high(u128_shift_right(left, 4).xy, reciprocal);
  return uvec4(u64_shift_left(second, 4), u64_add(first, uvec2(second.y >> 28, 0u)));
}

// log2((1 + y) / (1 - y)) / y for z = y^2: the high powers of z in 64 bits only.
uvec4 l_slope(uvec4 z) {
  uvec2 tail = X_LOG2[X_LOG2_TERMS - 1];
  for (int k = X_LOG2_TERMS - 2; k >= 0; k--)
    tail = u64_add(X_LOG2[k], u64_multiply_high(z.zw, tail));
  uvec4 slope = uvec4(0u, 0u, tail);
  for (int k = X_LOG2_WIDE_TERMS - 1; k >= 0; k--)
    slope = u128_add(X_LOG2_WIDE[k], u128_multiply_high(z, slope));
  return slope;
}

// whole + fraction; the fraction is below 1.
L l_add_whole(int whole, L fraction) {
  uint s = mix(uint(whole < 0), fraction.s, whole == 0);
  uvec4 part = u128_shift_right(fraction.m, -fraction.e);
  bool opposite = mix(false, fraction.s != s, part != uvec4(0u));
  part = u128_select(opposite, u128_subtract(uvec4(0u), part), part);
  uint size = uint(abs(whole)) - uint(opposite);
  int bits = findMSB(size) + 1;
  part = u128_shift_right(part, bits) | uvec4(0u, 0u, u64_shift_left(uvec2(size, 0u), 64 - bits));
  L total = l_normal(part, bits, s);
  bool alone = whole == 0;  // then shifting it right would lose bits
  return L(u128_select(alone, fraction.m, total.m), mix(total.e, fraction.e, alone), s);
}

L x_log2(X a) {
  uvec2 m = x_significand(a);
  bool below_one = !u64_less(m, X_SQRT_HALF);  // take the significand from [1/2, 1) or [1, 2)?
  uvec2 difference = u64_select(below_one, u64_subtract(uvec2(0u), m), m & ~U64_TOP);
  int zeros = u64_leading_zeros(difference);
  uvec4 ratio = l_ratio(difference, u64_select(below_one, m, difference), zeros);
  uvec4 z = u128_shift_right(u128_multiply_high(ratio, ratio), 2 * zeros);
  L fraction = l_normal(u128_multiply_high(ratio, l_slope(z)), 2 - zeros, uint(below_one));
  L result = l_add_whole(a.e - int(!below_one), fraction);
  bool positive = (uint(a.hi != 0u) & (a.s ^ 1u)) == 1u;
  return L(u128_select(positive, result.m, uvec4(0u, 0u, U64_TOP)),
           mix(X_LOG_OF_ZERO_EXPONENT, result.e, positive), mix(1u, result.s, positive));
}

X x_power_from_log(L log, X y) {
  // 128 times 64 bits; of the 192, the lowest 64 lie behind 2^-102 of the product.
  uvec2 m = x_significand(y);
  uvec4 product = u64_multiply(log.m.zw, m);
  product = u128_add(product, uvec4(u64_multiply(log.m.xy, m).zw, 0u, 0u));
  int zeros = u128_leading_zeros(product);
  return x_exp2_fixed(u128_shift_left(product, zeros), log.e + y.e - zeros, log.s ^ y.s);
}

// ---- (1 - cos(pi x)) / 2 ------------------------------------------------------------------------

// For 0 <= x <= 1/2, as x^2 times a polynomial in 4 x^2.
X x_half_cosine_near(X x) {
  X z = x_mul(x, x);
  uvec2 w = u64_select(z.e > -2, uvec2(~0u), u64_shift_right(x_significand(z), -2 - z.e));
  uvec2 fall = X_HALF_COSINE[X_HALF_COSINE_TERMS - 1];
  for (int k = X_HALF_COSINE_TERMS - 2; k >= 0; k--)
    fall = u64_subtract(X_HALF_COSINE[k], u64_multiply_high(w, fall));
  fall = u64_multiply_high(w, fall);
  uvec2 excess = u64_subtract(X_HALF_COSINE_FIRST, fall);  // over 2, reached at x = 1/2
  excess = u64_select(u64_less(X_HALF_COSINE_FIRST, fall), uvec2(0u), excess);
  uvec2 factor = u64_shift_right(u64_add(excess, uvec2(2u, 0u)), 2) | U64_TOP;
  return x_mul(z, x_make(factor, 2, 0u));
}

// 1 - x for 0 <= x <= 1/2, rounded half down: less code than x_sub.
X x_one_less(X x) {
  uvec2 m = x_significand(x);
  uint up = u64_shift_right(m, -1 - x.e).x & uint(x.e < 0) & 1u;
  uvec2 rest = u64_subtract(uvec2(0u), u64_add(u64_shift_right(m, -x.e), uvec2(up, 0u)));
  bool whole = rest == uvec2(0u);
  return x_make(u64_select(whole, U64_TOP, rest), int(whole), 0u);
}

X x_half_cosine(X x) {
  // x = n + f, and what is needed is the distance to the nearest integer: exact in fixed point.
  int places = max(x.e, 0);
  uvec2 f = u64_shift_left(x_significand(x), places);
  uint odd = u64_shift_right(x_significand(x), 64 - places).x & uint(places <= 64) & 1u;
  uint upper = uint(u64_less(U64_TOP, f));
  X distance = x_normal(u64_select(upper == 1u, u64_subtract(uvec2(0u), f), f), 0, 0u);
  X near = x_half_cosine_near(x_where(x.e < 0, x_absolute(x), distance));
  bool far = ((odd ^ upper) & uint(x.e >= 0)) == 1u;
  return x_where(far, x_one_less(near), near);
}
