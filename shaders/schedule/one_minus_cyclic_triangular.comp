#version 450
#extension GL_GOOGLE_include_directive : require
// 1 - beta(t): the weight of what is new in an exponential average.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 18u;
#include "fill.glsl"

X formula(X t, X k, uint at) {
  X v0 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // 1.0
  X v1 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // beta.low
  X v2 = t;
  X v3 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // add(beta.up, beta.down)
  X v4 = x_remainder(v2, v3);
  X v5 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // beta.up
  bool v6 = x_less_equal(v4, v5);
  X v7 = x_sub(v5, v4);
  X v8 = x_div(v7, v5);
  X v9 = x_sub(v4, v5);
  X v10 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // beta.down
  X v11 = x_div(v9, v10);
  X v12 = x_where(v6, v8, v11);
  X v13 = x_mul(v1, v12);
  X v14 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // beta.high
  X v15 = x_div(v4, v5);
  X v16 = x_sub(v3, v4);
  X v17 = x_div(v16, v10);
  X v18 = x_where(v6, v15, v17);
  X v19 = x_mul(v14, v18);
  X v20 = x_add(v13, v19);
  X v21 = x_sub(v0, v20);
  return v21;
}
