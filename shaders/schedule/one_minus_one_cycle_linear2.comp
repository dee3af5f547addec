#version 450
#extension GL_GOOGLE_include_directive : require
// 1 - beta(t): the weight of what is new in an exponential average.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 21u;
#include "fill.glsl"

X formula(X t, X k, uint at) {
  X v0 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // 1.0
  X v1 = t;
  X v2 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // beta.ends[0]
  bool v3 = x_greater(v1, v2);
  X v4 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // beta.values[1]
  X v5 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // beta.values[0]
  X v6 = x_where(v3, v4, v5);
  X v7 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // beta.ends[1]
  X v8 = x_where(v3, v7, v2);
  X v9 = x_sub(v8, v1);
  X v10 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // 0.0
  X v11 = x_where(v3, v2, v10);
  X v12 = x_sub(v8, v11);
  X v13 = x_div(v9, v12);
  X v14 = x_mul(v6, v13);
  X v15 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // beta.values[2]
  X v16 = x_where(v3, v15, v4);
  X v17 = x_sub(v1, v11);
  X v18 = x_div(v17, v12);
  X v19 = x_mul(v16, v18);
  X v20 = x_add(v14, v19);
  X v21 = x_sub(v0, v20);
  return v21;
}
