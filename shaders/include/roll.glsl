// Keeps the rows that steps have used, and moves the clock to the row that the cursor has reached
// and the cursor back to row 0. One dispatch: a second one with a barrier between would take
// a tenth of a refill. All invocations copy; the last one that has, moves the clock.
#include "hyper.glsl"

layout(local_size_x_id = 0) in;
layout(std430, binding = 0) coherent buffer Clock { uint clock[]; };
layout(std430, binding = 1) readonly buffer Table { uint table[]; };
layout(std430, binding = 2) writeonly buffer Ring { uint ring[]; };
layout(push_constant) uniform Push { uint row_words; uint ring_rows; };

void advance(uint low, uint high, uint steps) {
  uint carry;
  clock[low] = uaddCarry(clock[low], steps, carry);
  clock[high] += carry;
}

void move_on(uint rows) {
  clock[CLOCK_KEPT] = min(clock[CLOCK_KEPT] + rows, ring_rows);
  clock[CLOCK_RING_ROW] = (clock[CLOCK_RING_ROW] + rows) % ring_rows;
  uint moved = clock[CLOCK_FRESH] == 0u ? rows : 0u;
  uint turn = clock[CLOCK_PHASE] + moved;
  uint period = clock[CLOCK_PERIOD];
  advance(CLOCK_K_LO, CLOCK_K_HI, moved);
  advance(CLOCK_CYCLES_LO, CLOCK_CYCLES_HI, turn / period);
  clock[CLOCK_PHASE] = turn % period;
  clock[CLOCK_FRESH] = 0u;
  clock[CLOCK_ROW_EVEN] = 0u;
  clock[CLOCK_ROW_ODD] = 0u;
  clock[CLOCK_COPIED] = 0u;
}

// Returns true in the one invocation that has moved the clock.
bool roll() {
  uint rows = max(clock[CLOCK_ROW_EVEN], clock[CLOCK_ROW_ODD]);
  uint first = clock[CLOCK_RING_ROW] * row_words;
  uint size = ring_rows * row_words;
  uint stride = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
  for (uint i = gl_GlobalInvocationID.x; i < rows * row_words; i += stride) {
    uint at = first + i;
    ring[at < size ? at : at - size] = table[i];
  }
  memoryBarrierBuffer();
  if (atomicAdd(clock[CLOCK_COPIED], 1u) + 1u < stride) return false;
  memoryBarrierBuffer();
  move_on(rows);
  return true;
}
