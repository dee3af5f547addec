#version 450
#extension GL_GOOGLE_include_directive : require
// ``low + (high - low) (1 - tanh(x)) / 2``, x from ``lower`` at step 0 to ``upper`` at the end.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 27u;
#include "fill.glsl"
#include "xfloat_transcendental.glsl"

X formula(X t, X k, uint at) {
  X v0 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // low
  X v1 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // 2.0
  X v2 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // lower
  X v3 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // where(greater(steps, 0), steps, 1)
  X v4 = t;
  X v5 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // 0
  X v6 = x_sub(v4, v5);
  X v7 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // steps
  bool v8 = x_less(v6, v7);
  X v9 = x_maximum(v6, v5);
  X v10 = x_where(v8, v9, v3);
  X v11 = x_sub(v3, v10);
  X v12 = x_mul(v2, v11);
  X v13 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // upper
  X v14 = x_mul(v13, v10);
  X v15 = x_add(v12, v14);
  X v16 = x_mul(v1, v15);
  X v17 = x_div(v16, v3);
  bool v18 = x_greater(v17, v5);
  X v19 = x_from_words(jobs[at + 21u], jobs[at + 22u], jobs[at + 23u]);  // 1.0
  X v20 = x_absolute(v17);
  X v21 = x_negative(v20);
  X v22 = x_exp(v21);
  X v23 = x_add(v19, v22);
  X v24 = x_div(v19, v23);
  X v25 = x_div(v22, v23);
  X v26 = x_where(v18, v24, v25);
  X v27 = x_mul(v0, v26);
  X v28 = x_from_words(jobs[at + 24u], jobs[at + 25u], jobs[at + 26u]);  // high
  X v29 = x_where(v18, v25, v24);
  X v30 = x_mul(v28, v29);
  X v31 = x_add(v27, v30);
  return v31;
}
