#version 450
#extension GL_GOOGLE_include_directive : require
// 1 / (1 - beta(t)**k), k = 1, 2, ... updates: unbiases Adam's mean (arXiv:1412.6980).
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 27u;
#include "fill.glsl"

X formula(X t, X k, uint at) {
  X v0 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // 1.0
  X v1 = t;
  X v2 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // beta.ends[1]
  bool v3 = x_greater(v1, v2);
  X v4 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // beta.values[2]
  X v5 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // beta.ends[0]
  bool v6 = x_greater(v1, v5);
  X v7 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // beta.values[1]
  X v8 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // beta.values[0]
  X v9 = x_where(v6, v7, v8);
  X v10 = x_where(v3, v4, v9);
  X v11 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // beta.ends[2]
  X v12 = x_where(v6, v2, v5);
  X v13 = x_where(v3, v11, v12);
  X v14 = x_sub(v13, v1);
  X v15 = x_from_words(jobs[at + 21u], jobs[at + 22u], jobs[at + 23u]);  // 0.0
  X v16 = x_where(v6, v5, v15);
  X v17 = x_where(v3, v2, v16);
  X v18 = x_sub(v13, v17);
  X v19 = x_div(v14, v18);
  X v20 = x_half_cosine(v19);
  X v21 = x_mul(v10, v20);
  X v22 = x_from_words(jobs[at + 24u], jobs[at + 25u], jobs[at + 26u]);  // beta.values[3]
  X v23 = x_where(v6, v4, v7);
  X v24 = x_where(v3, v22, v23);
  X v25 = x_sub(v1, v17);
  X v26 = x_div(v25, v18);
  X v27 = x_half_cosine(v26);
  X v28 = x_mul(v24, v27);
  X v29 = x_add(v21, v28);
  L v30 = x_log2(v29);
  X v31 = k;
  X v32 = x_power_from_log(v30, v31);
  X v33 = x_sub(v0, v32);
  X v34 = x_div(v0, v33);
  return v34;
}
