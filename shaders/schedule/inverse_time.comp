#version 450
#extension GL_GOOGLE_include_directive : require
// value / (1 + rate c / steps), with c = t - begin; ``staircase=True`` rounds c / steps down.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 15u;
#include "fill.glsl"

X formula(X t, X k, uint at) {
  X v0 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // multiply(value, steps)
  X v1 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // steps
  X v2 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // rate
  X v3 = t;
  X v4 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // begin
  X v5 = x_sub(v3, v4);
  X v6 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // 0
  X v7 = x_maximum(v5, v6);
  X v8 = x_mul(v2, v7);
  X v9 = x_add(v1, v8);
  X v10 = x_div(v0, v9);
  return v10;
}
