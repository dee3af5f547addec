#version 450
#extension GL_GOOGLE_include_directive : require
// ``cycles`` half cosines from ``high`` to ``low``, all of one length, within ``steps``.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 18u;
#include "fill.glsl"

X formula(X t, X k, uint at) {
  X v0 = t;
  X v1 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // steps
  bool v2 = x_less(v0, v1);
  X v3 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // low
  X v4 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // cycles
  X v5 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // 0
  X v6 = x_sub(v0, v5);
  bool v7 = x_less(v6, v1);
  X v8 = x_maximum(v6, v5);
  X v9 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // where(greater(steps, 0), steps, 1)
  X v10 = x_where(v7, v8, v9);
  X v11 = x_mul(v4, v10);
  X v12 = x_remainder(v11, v9);
  X v13 = x_div(v12, v9);
  X v14 = x_half_cosine(v13);
  X v15 = x_mul(v3, v14);
  X v16 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // high
  X v17 = x_sub(v9, v12);
  X v18 = x_div(v17, v9);
  X v19 = x_half_cosine(v18);
  X v20 = x_mul(v16, v19);
  X v21 = x_add(v15, v20);
  X v22 = x_where(v2, v21, v3);
  return v22;
}
