#version 450
#extension GL_GOOGLE_include_directive : require
// ``low + (high - low) (1 - sqrt(t / steps))``: fast at first, then slower and slower.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 18u;
#include "fill.glsl"

X formula(X t, X k, uint at) {
  X v0 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // low
  X v1 = t;
  X v2 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // 0
  X v3 = x_sub(v1, v2);
  X v4 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // steps
  bool v5 = x_less(v3, v4);
  X v6 = x_maximum(v3, v2);
  X v7 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // where(greater(steps, 0), steps, 1)
  X v8 = x_where(v5, v6, v7);
  X v9 = x_div(v8, v7);
  X v10 = x_sqrt(v9);
  X v11 = x_mul(v0, v10);
  X v12 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // high
  X v13 = x_sub(v7, v8);
  X v14 = x_div(v13, v7);
  X v15 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // 1.0
  X v16 = x_add(v15, v10);
  X v17 = x_div(v14, v16);
  X v18 = x_mul(v12, v17);
  X v19 = x_add(v11, v18);
  return v19;
}
