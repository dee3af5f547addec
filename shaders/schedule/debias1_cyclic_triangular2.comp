#version 450
#extension GL_GOOGLE_include_directive : require
// 1 / (1 - beta(t)**k), k = 1, 2, ... updates: unbiases Adam's mean (arXiv:1412.6980).
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 18u;
#include "fill.glsl"

X formula(X t, X k, uint at) {
  X v0 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // 1.0
  X v1 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // beta.low
  X v2 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // subtract(beta.high, beta.low)
  X v3 = t;
  X v4 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // add(beta.up, beta.down)
  X v5 = x_remainder(v3, v4);
  X v6 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // beta.up
  bool v7 = x_less_equal(v5, v6);
  X v8 = x_div(v5, v6);
  X v9 = x_sub(v4, v5);
  X v10 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // beta.down
  X v11 = x_div(v9, v10);
  X v12 = x_where(v7, v8, v11);
  X v13 = x_floor_divide(v3, v4);
  X v14 = x_negative(v13);
  X v15 = x_exp2(v14);
  X v16 = x_mul(v12, v15);
  X v17 = x_mul(v2, v16);
  X v18 = x_add(v1, v17);
  L v19 = x_log2(v18);
  X v20 = k;
  X v21 = x_power_from_log(v19, v20);
  X v22 = x_sub(v0, v21);
  X v23 = x_div(v0, v22);
  return v23;
}
