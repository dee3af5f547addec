#version 450
#extension GL_GOOGLE_include_directive : require
// From ``low`` in ``up`` steps to ``high`` and in ``down`` steps back, again and again.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 20u;
#include "fill.glsl"

X formula(X t, X k, uint at) {
  X v0 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // low
  X v1 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // subtract(high, low)
  X v2 = t;
  X v3 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // add(up, down)
  X v4 = x_remainder(v2, v3);
  X v5 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // up
  bool v6 = x_less_equal(v4, v5);
  X v7 = x_div(v4, v5);
  X v8 = x_sub(v3, v4);
  X v9 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // down
  X v10 = x_div(v8, v9);
  X v11 = x_where(v6, v7, v10);
  L v12 = l_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u], jobs[at + 18u], jobs[at + 19u]);  // log2_of_base(gamma)
  X v13 = x_power_from_log(v12, v2);
  X v14 = x_mul(v11, v13);
  X v15 = x_mul(v1, v14);
  X v16 = x_add(v0, v15);
  return v16;
}
