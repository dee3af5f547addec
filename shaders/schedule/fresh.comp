#version 450
#extension GL_GOOGLE_include_directive : require
// 1 at a momentum's first update, k = 1, then 1 - dampening(t): the new gradient's weight.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 9u;
#include "fill.glsl"

X formula(X t, X k, uint at) {
  X v0 = k;
  X v1 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // 1
  bool v2 = x_equal(v0, v1);
  X v3 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // 1.0
  X v4 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // subtract(1.0, dampening.value)
  X v5 = x_where(v2, v3, v4);
  return v5;
}
