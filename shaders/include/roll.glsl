// Moves the clock to the row that the cursor has reached and the cursor back to row 0.
#include "hyper.glsl"

layout(local_size_x = 1) in;
layout(std430, binding = 0) buffer Clock { uint clock[]; };
layout(push_constant) uniform Push { uint parity; };

void advance(uint low, uint high, uint steps) {
  uint carry;
  clock[low] = uaddCarry(clock[low], steps, carry);
  clock[high] += carry;
}

void roll() {
  uint rows = clock[CLOCK_ROW_EVEN + parity];
  uint turn = clock[CLOCK_PHASE] + rows;
  uint period = clock[CLOCK_PERIOD];
  advance(CLOCK_K_LO, CLOCK_K_HI, rows);
  advance(CLOCK_CYCLES_LO, CLOCK_CYCLES_HI, turn / period);
  clock[CLOCK_PHASE] = turn % period;
  clock[CLOCK_ROW_EVEN] = 0u;
  clock[CLOCK_ROW_ODD] = 0u;
}
