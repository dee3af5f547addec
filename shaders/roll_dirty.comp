#version 450
#extension GL_GOOGLE_include_directive : require
// Before the table is filled anew because a rule has changed a number of it; if none has, nothing is
// done, and what follows is told so by the clock.
#include "roll.glsl"

layout(std430, binding = 1) buffer Flags { uint flags[]; };

void main() {
  clock[CLOCK_DIRTY] = flags[0];
  if (flags[0] == 0u) return;
  flags[0] = 0u;
  roll();
}
