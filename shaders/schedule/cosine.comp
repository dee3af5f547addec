#version 450
#extension GL_GOOGLE_include_directive : require
// Half a cosine from ``high`` at step 0 to ``low`` at step ``period``, and up again after it.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 9u;
#include "fill.glsl"

X formula(X t, X k, uint at) {
  X v0 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // low
  X v1 = t;
  X v2 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // period
  X v3 = x_div(v1, v2);
  X v4 = x_half_cosine(v3);
  X v5 = x_mul(v0, v4);
  X v6 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // high
  X v7 = x_sub(v2, v1);
  X v8 = x_div(v7, v2);
  X v9 = x_half_cosine(v8);
  X v10 = x_mul(v6, v9);
  X v11 = x_add(v5, v10);
  return v11;
}
