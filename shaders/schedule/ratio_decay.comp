#version 450
#extension GL_GOOGLE_include_directive : require
// An exponential that falls to ``ratio`` of its start, moved and scaled to reach ``low``.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 36u;
#include "fill.glsl"
#include "xfloat_transcendental.glsl"

X formula(X t, X k, uint at) {
  X v0 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // low
  X v1 = t;
  X v2 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // 0
  X v3 = x_sub(v1, v2);
  X v4 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // steps
  bool v5 = x_less(v3, v4);
  X v6 = x_maximum(v3, v2);
  X v7 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // where(greater(steps, 0), steps, 1)
  X v8 = x_where(v5, v6, v7);
  X v9 = x_div(v8, v7);
  X v10 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // log(ratio)
  X v11 = x_mul(v9, v10);
  X v12 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // -64
  bool v13 = x_less(v11, v12);
  X v14 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // -1
  X v15 = x_exp(v11);
  X v16 = x_from_words(jobs[at + 21u], jobs[at + 22u], jobs[at + 23u]);  // 1
  bool v17 = x_equal(v15, v16);
  X v18 = x_sub(v15, v16);
  X v19 = x_log(v15);
  X v20 = x_div(v11, v19);
  X v21 = x_mul(v18, v20);
  X v22 = x_where(v17, v11, v21);
  X v23 = x_where(v13, v14, v22);
  X v24 = x_negative(v23);
  X v25 = x_from_words(jobs[at + 24u], jobs[at + 25u], jobs[at + 26u]);  // subtract(1.0, ratio)
  X v26 = x_div(v24, v25);
  X v27 = x_mul(v0, v26);
  X v28 = x_from_words(jobs[at + 27u], jobs[at + 28u], jobs[at + 29u]);  // high
  X v29 = x_from_words(jobs[at + 30u], jobs[at + 31u], jobs[at + 32u]);  // ratio
  X v30 = x_sub(v7, v8);
  X v31 = x_div(v30, v7);
  X v32 = x_from_words(jobs[at + 33u], jobs[at + 34u], jobs[at + 35u]);  // negative(log(ratio))
  X v33 = x_mul(v31, v32);
  bool v34 = x_less(v33, v12);
  X v35 = x_exp(v33);
  bool v36 = x_equal(v35, v16);
  X v37 = x_sub(v35, v16);
  X v38 = x_log(v35);
  X v39 = x_div(v33, v38);
  X v40 = x_mul(v37, v39);
  X v41 = x_where(v36, v33, v40);
  X v42 = x_where(v34, v14, v41);
  X v43 = x_mul(v29, v42);
  X v44 = x_div(v43, v25);
  X v45 = x_mul(v28, v44);
  X v46 = x_add(v27, v45);
  return v46;
}
