#version 450
#extension GL_GOOGLE_include_directive : require
// ``values[i]`` at update ``start + i``: corrections that the host has computed, a window.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 771u;
#include "fill.glsl"
#include "lists.glsl"

X formula(X t, X k, uint at) {
  X v0 = k;
  X v1 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // start
  X v2 = x_sub(v0, v1);
  List v3 = List(at + 3u, 256u);  // values[]
  X v4 = x_pick(v2, v3);
  return v4;
}
