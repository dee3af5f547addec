#version 450
#extension GL_GOOGLE_include_directive : require
// factor * model_size^-1/2 * min(k^-1/2, k warmup_steps^-3/2), with k = t + 1.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 15u;
#include "fill.glsl"

X formula(X t, X k, uint at) {
  X v0 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // factor
  X v1 = t;
  X v2 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // 0
  X v3 = x_maximum(v1, v2);
  X v4 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // 1
  X v5 = x_add(v3, v4);
  X v6 = x_mul(v0, v5);
  X v7 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // warmup_steps
  X v8 = x_maximum(v5, v7);
  X v9 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // model_size
  X v10 = x_mul(v8, v9);
  X v11 = x_sqrt(v10);
  X v12 = x_mul(v8, v11);
  X v13 = x_div(v6, v12);
  return v13;
}
