// Fills columns of the hyperparameter table: every job (a column of some lanes) times every row.
// Included by each schedule shader, which defines CONSTANT_WORDS and formula().
#include "hyper.glsl"
#include "xfloat.glsl"

layout(local_size_x_id = 0) in;
layout(std430, binding = 0) readonly buffer Clock { uint clock[]; };
layout(std430, binding = 1) readonly buffer Jobs { uint jobs[]; };
layout(std430, binding = 2) writeonly buffer Table { uint table[]; };

// Where this structure's jobs begin and how many there are; rows to fill, with ONLY_DIRTY only if the
// clock says that the table is dirty; words in a row, and in a lane.
layout(push_constant) uniform Push { uint first; uint count; uint rows; uint row_words; uint columns; };

X formula(X t, X k, uint at);

uvec2 add64(uvec2 a, uvec2 b) {
  uint carry;
  uint low = uaddCarry(a.x, b.x, carry);
  return uvec2(low, a.y + b.y + carry);
}

uvec2 mul64(uvec2 a, uint b) {
  uint high, low;
  umulExtended(a.x, b, high, low);
  return uvec2(low, high + a.y * b);
}

// How far the schedule whose pace is there has moved since the clock was started.
uvec2 moved(uint pace, uint row) {
  uint turn = clock[CLOCK_PHASE] + row;
  uint period = clock[CLOCK_PERIOD];
  uvec2 cycles = add64(uvec2(clock[CLOCK_CYCLES_LO], clock[CLOCK_CYCLES_HI]), uvec2(turn / period, 0u));
  return add64(mul64(cycles, clock[pace]), uvec2(clock[pace + 1u + turn % period], 0u));
}

void main() {
  uint i = gl_GlobalInvocationID.x;
  if (i >= count * (rows & ~ONLY_DIRTY)) return;
  if (rows >= ONLY_DIRTY && clock[CLOCK_DIRTY] == 0u) return;
  uint row = i / count;
  uint job = first + (i % count) * (JOB_WORDS + CONSTANT_WORDS);

  X offset = x_from_words(jobs[job + JOB_T_LO], jobs[job + JOB_T_HI], jobs[job + JOB_T_EXPONENT]);
  X t = x_add(x_from_int64(moved(jobs[job + JOB_PACE], row)), offset);

  uvec2 k64 = add64(uvec2(clock[CLOCK_K_LO], clock[CLOCK_K_HI]), uvec2(row, 0u));
  X k = x_from_int64(add64(k64, uvec2(jobs[job + JOB_K_LO], jobs[job + JOB_K_HI])));

  X value = formula(t, k, job + JOB_WORDS);
  uint target = row * row_words + jobs[job + JOB_TARGET];
#ifdef SIGNIFICANDS
  // Test form: the whole number, three words a column, of one lane, instead of its float32 rounding.
  uvec3 words = x_to_words(value);
  table[3u * target] = words.x;
  table[3u * target + 1u] = words.y;
  table[3u * target + 2u] = words.z;
#else
  uint rounded = x_float32(value);
  uint end = target + jobs[job + JOB_LANES] * columns;
  for (; target < end; target += columns) table[target] = rounded;
#endif
}
