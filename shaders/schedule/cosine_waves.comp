#version 450
#extension GL_GOOGLE_include_directive : require
// Half a cosine from ``high`` at step 0 to ``low``, the value from step ``steps`` on.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 12u;
#include "fill.glsl"

X formula(X t, X k, uint at) {
  X v0 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // low
  X v1 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // multiply(2.0, cycles)
  X v2 = t;
  X v3 = x_mul(v1, v2);
  X v4 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // steps
  X v5 = x_div(v3, v4);
  X v6 = x_half_cosine(v5);
  X v7 = x_mul(v0, v6);
  X v8 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // high
  X v9 = x_sub(v4, v3);
  X v10 = x_div(v9, v4);
  X v11 = x_half_cosine(v10);
  X v12 = x_mul(v8, v11);
  X v13 = x_add(v7, v12);
  return v13;
}
