#version 450
#extension GL_GOOGLE_include_directive : require
// The exact sum of a workgroup's float32, as an integer times 2^-149 in digits of 16 bits.
#include "xfloat_wide.glsl"
#include "reduce_words.glsl"

layout(local_size_x = LOCAL) in;
layout(std430, binding = 0) readonly buffer Values { uint values[]; };
layout(std430, binding = 1) writeonly buffer Partials { uint partials[]; };
layout(push_constant) uniform Push { uint first; uint count; uint rounds; uint partial; } push;

// Each invocation has a column: the lower 20 and the upper bits of its sums, by 16 exponents each.
shared int lower[BINS][LOCAL];
shared int upper[BINS][LOCAL];
shared uint strange[LOCAL];
shared uvec2 sums[BINS];

void add(uint column, uint bits) {
  uint field = bits >> 23 & 0xFFu;
  uint e = max(field, 1u) - 1u;
  uint m = bits & 0x7FFFFFu | uint(field != 0u) << 23;
  int negative = -int(bits >> 31);
  uint shift = e & 15u;
  lower[e >> 4][column] += (int(m << shift & 0xFFFFFu) ^ negative) - negative;
  upper[e >> 4][column] += (int(m >> (20u - shift)) ^ negative) - negative;
}

uint kind_of(uint bits) {
  if ((bits << 9) != 0u) return HAS_NAN;
  return (bits >> 31) == 0u ? HAS_PLUS : HAS_MINUS;
}

void take(uint column) {
  uint at = gl_WorkGroupID.x * LOCAL * push.rounds + column, found = 0u;
  for (uint k = 0u; k < push.rounds && at < push.count; k++, at += LOCAL) {
    uint bits = values[push.first + at];
    if ((bits >> 23 & 0xFFu) == 0xFFu) found |= kind_of(bits);
    else add(column, bits);
  }
  strange[column] = found;
}

uvec2 extended(int a) { return uvec2(uint(a), uint(a >> 31)); }

uvec2 sum_of(uint bin) {
  uvec2 low = uvec2(0u), high = uvec2(0u);
  for (uint i = 0u; i < LOCAL; i++) {
    low = u64_add(low, extended(lower[bin][i]));
    high = u64_add(high, extended(upper[bin][i]));
  }
  return u64_add(low, u64_shift_left(high, 20));
}

void store(uint to) {
  uvec2 carry = uvec2(0u);
  for (uint i = 0u; i < DIGITS; i++) {
    if (i < BINS) carry = u64_add(carry, sums[i]);
    partials[to + i] = i + 1u < DIGITS ? carry.x & 0xFFFFu : carry.x;
    carry = uvec2(carry.x >> 16 | carry.y << 16, uint(int(carry.y) >> 16));
  }
  uint found = 0u;
  for (uint i = 0u; i < LOCAL; i++) found |= strange[i];
  partials[to + DIGITS] = found;
}

void main() {
  uint column = gl_LocalInvocationID.x;
  for (uint i = 0u; i < BINS; i++) lower[i][column] = upper[i][column] = 0;
  take(column);
  barrier();
  if (column < BINS) sums[column] = sum_of(column);
  barrier();
  if (column == 0u) store((push.partial + gl_WorkGroupID.x) * PARTIAL_WORDS);
}
