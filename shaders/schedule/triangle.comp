#version 450
#extension GL_GOOGLE_include_directive : require
// Lines from ``high`` at step 0 to ``low`` at step ``steps / 2`` and back to ``high``.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 18u;
#include "fill.glsl"

X formula(X t, X k, uint at) {
  X v0 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // low
  X v1 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // 2.0
  X v2 = t;
  X v3 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // 0
  X v4 = x_sub(v2, v3);
  X v5 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // steps
  bool v6 = x_less(v4, v5);
  X v7 = x_maximum(v4, v3);
  X v8 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // where(greater(steps, 0), steps, 1)
  X v9 = x_where(v6, v7, v8);
  X v10 = x_sub(v8, v9);
  X v11 = x_minimum(v9, v10);
  X v12 = x_mul(v1, v11);
  X v13 = x_mul(v0, v12);
  X v14 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // high
  X v15 = x_mul(v1, v9);
  X v16 = x_sub(v8, v15);
  X v17 = x_absolute(v16);
  X v18 = x_mul(v14, v17);
  X v19 = x_add(v13, v18);
  X v20 = x_div(v19, v8);
  return v20;
}
