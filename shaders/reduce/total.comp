#version 450
#extension GL_GOOGLE_include_directive : require
// The sum and the mean of an array from the exact sums of its parts.
#include "float64.glsl"
#include "reduce_words.glsl"

layout(local_size_x = LOCAL) in;
layout(std430, binding = 0) readonly buffer Partials { uint partials[]; };
layout(std430, binding = 1) writeonly buffer Result { uint result[]; };
layout(push_constant) uniform Push { uint groups; uint count; } push;

shared uint digits[PARTIAL_WORDS];

// Of a digit of all parts: 2^16 of them fit a word.
uint column_sum(uint digit) {
  uint sum = 0u;
  for (uint i = 0u; i < push.groups; i++) {
    uint word = partials[i * PARTIAL_WORDS + digit];
    sum = digit == DIGITS ? sum | word : sum + word;
  }
  return sum;
}

// Makes every digit one of 16 bits, of the magnitude; whether the sum is negative.
uint carried() {
  uint carry = 0u;
  for (uint i = 0u; i < DIGITS; i++) {
    uint low = (digits[i] & 0xFFFFu) + (carry & 0xFFFFu);
    carry = (digits[i] >> 16) + (carry >> 16) + (low >> 16);
    digits[i] = low & 0xFFFFu;
  }
  uint negative = digits[DIGITS - 1u] >> 15;
  carry = negative;
  for (uint i = 0u; i < DIGITS; i++) {
    uint sum = (digits[i] ^ (0xFFFFu & -negative)) + carry;
    carry = sum >> 16;
    digits[i] = sum & 0xFFFFu;
  }
  return negative;
}

uint digit_at(int i) { return i < 0 ? 0u : digits[i]; }

uvec2 rounded_sum() {
  uint s = carried();
  int top = int(DIGITS) - 1;
  while (top > 0 && digits[top] == 0u) top--;
  uvec4 m = uvec4(0u, digit_at(top - 4) << 16, digit_at(top - 3) | digit_at(top - 2) << 16,
                  digit_at(top - 1) | digits[top] << 16);
  int n = u64_leading_zeros(m.zw);
  m = u128_shift_left(m, n);
  uint behind = m.y;
  for (int i = 0; i < top - 4; i++) behind |= digits[i];
  m.z |= uint(behind != 0u);
  return f64_rounded(F64(m.zw, 16 * top + 15 - n + 874, s));  // the unit is 2^(874 - 1023)
}

uvec2 sum_of_all() {
  uint strange = digits[DIGITS];
  if (strange == 0u) return rounded_sum();
  if (strange == HAS_PLUS) return F64_INFINITY;
  return strange == HAS_MINUS ? f64_negative(F64_INFINITY) : F64_NAN;
}

void main() {
  uint digit = gl_LocalInvocationID.x;
  if (digit < PARTIAL_WORDS) digits[digit] = column_sum(digit);
  barrier();
  if (digit != 0u) return;
  uvec2 numbers[] = uvec2[](sum_of_all(), F64_NAN);
  numbers[1] = f64_div(numbers[0], f64_from_uint(push.count));
  for (uint i = 0u; i < 2u; i++) {
    result[RESULT_SUM + 2u * i] = numbers[i].x;
    result[RESULT_SUM + 2u * i + 1u] = numbers[i].y;
    result[RESULT_SUM32 + i] = f64_to_float32(numbers[i]);
  }
}
