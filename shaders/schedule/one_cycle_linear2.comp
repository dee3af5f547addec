#version 450
#extension GL_GOOGLE_include_directive : require
// Anneals from ``values[i]`` to ``values[i + 1]`` in phase i, which ends at step ``ends[i]``.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 18u;
#include "fill.glsl"

X formula(X t, X k, uint at) {
  X v0 = t;
  X v1 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // ends[0]
  bool v2 = x_greater(v0, v1);
  X v3 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // values[1]
  X v4 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // values[0]
  X v5 = x_where(v2, v3, v4);
  X v6 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // ends[1]
  X v7 = x_where(v2, v6, v1);
  X v8 = x_sub(v7, v0);
  X v9 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // 0.0
  X v10 = x_where(v2, v1, v9);
  X v11 = x_sub(v7, v10);
  X v12 = x_div(v8, v11);
  X v13 = x_mul(v5, v12);
  X v14 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // values[2]
  X v15 = x_where(v2, v14, v3);
  X v16 = x_sub(v0, v10);
  X v17 = x_div(v16, v11);
  X v18 = x_mul(v15, v17);
  X v19 = x_add(v13, v18);
  return v19;
}
