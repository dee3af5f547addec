#version 450
#extension GL_GOOGLE_include_directive : require
// From ``low`` in ``up`` steps to ``high`` and in ``down`` steps back, again and again.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 15u;
#include "fill.glsl"

X formula(X t, X k, uint at) {
  X v0 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // low
  X v1 = t;
  X v2 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // add(up, down)
  X v3 = x_remainder(v1, v2);
  X v4 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // up
  bool v5 = x_less_equal(v3, v4);
  X v6 = x_sub(v4, v3);
  X v7 = x_div(v6, v4);
  X v8 = x_sub(v3, v4);
  X v9 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // down
  X v10 = x_div(v8, v9);
  X v11 = x_where(v5, v7, v10);
  X v12 = x_mul(v0, v11);
  X v13 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // high
  X v14 = x_div(v3, v4);
  X v15 = x_sub(v2, v3);
  X v16 = x_div(v15, v9);
  X v17 = x_where(v5, v14, v16);
  X v18 = x_mul(v13, v17);
  X v19 = x_add(v12, v18);
  return v19;
}
