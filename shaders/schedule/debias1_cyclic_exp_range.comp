#version 450
#extension GL_GOOGLE_include_directive : require
// 1 / (1 - beta(t)**k), k = 1, 2, ... updates: unbiases Adam's mean (arXiv:1412.6980).
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 23u;
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
  L v13 = l_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u], jobs[at + 21u], jobs[at + 22u]);  // log2_of_base(beta.gamma)
  X v14 = x_power_from_log(v13, v3);
  X v15 = x_mul(v12, v14);
  X v16 = x_mul(v2, v15);
  X v17 = x_add(v1, v16);
  L v18 = x_log2(v17);
  X v19 = k;
  X v20 = x_power_from_log(v18, v19);
  X v21 = x_sub(v0, v20);
  X v22 = x_div(v0, v21);
  return v22;
}
