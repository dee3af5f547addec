#version 450
#extension GL_GOOGLE_include_directive : require
// Before the table is filled anew because a rule has changed a number of it; if none has, nothing is
// done, and what follows is told so by the clock.
#include "roll.glsl"

layout(std430, binding = 3) buffer Flags { uint flags[]; };

void main() {
  if (flags[0] == 0u) {
    if (gl_GlobalInvocationID.x == 0u) clock[CLOCK_DIRTY] = 0u;
    return;
  }
  if (roll()) {
    clock[CLOCK_DIRTY] = 1u;
    flags[0] = 0u;
  }
}
