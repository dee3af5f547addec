#version 450
#extension GL_GOOGLE_include_directive : require
// Half a cosine from ``high`` to ``low``, again from ``high`` every ``period`` steps.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 12u;
#include "fill.glsl"

X formula(X t, X k, uint at) {
  X v0 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // low
  X v1 = t;
  X v2 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // start
  X v3 = x_sub(v1, v2);
  X v4 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // period
  X v5 = x_remainder(v3, v4);
  X v6 = x_div(v5, v4);
  X v7 = x_half_cosine(v6);
  X v8 = x_mul(v0, v7);
  X v9 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // high
  X v10 = x_sub(v4, v5);
  X v11 = x_div(v10, v4);
  X v12 = x_half_cosine(v11);
  X v13 = x_mul(v9, v12);
  X v14 = x_add(v8, v13);
  return v14;
}
