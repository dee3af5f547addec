#version 450
#extension GL_GOOGLE_include_directive : require
// Anneals from ``values[i]`` to ``values[i + 1]`` in phase i, which ends at step ``ends[i]``.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 24u;
#include "fill.glsl"

X formula(X t, X k, uint at) {
  X v0 = t;
  X v1 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // ends[1]
  bool v2 = x_greater(v0, v1);
  X v3 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // values[2]
  X v4 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // ends[0]
  bool v5 = x_greater(v0, v4);
  X v6 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // values[1]
  X v7 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // values[0]
  X v8 = x_where(v5, v6, v7);
  X v9 = x_where(v2, v3, v8);
  X v10 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // ends[2]
  X v11 = x_where(v5, v1, v4);
  X v12 = x_where(v2, v10, v11);
  X v13 = x_sub(v12, v0);
  X v14 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // 0.0
  X v15 = x_where(v5, v4, v14);
  X v16 = x_where(v2, v1, v15);
  X v17 = x_sub(v12, v16);
  X v18 = x_div(v13, v17);
  X v19 = x_half_cosine(v18);
  X v20 = x_mul(v9, v19);
  X v21 = x_from_words(jobs[at + 21u], jobs[at + 22u], jobs[at + 23u]);  // values[3]
  X v22 = x_where(v5, v3, v6);
  X v23 = x_where(v2, v21, v22);
  X v24 = x_sub(v0, v16);
  X v25 = x_div(v24, v17);
  X v26 = x_half_cosine(v25);
  X v27 = x_mul(v23, v26);
  X v28 = x_add(v20, v27);
  return v28;
}
