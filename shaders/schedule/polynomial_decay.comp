#version 450
#extension GL_GOOGLE_include_directive : require
// From ``start`` to ``end`` along a power of the share of steps that is left; level outside.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 33u;
#include "fill.glsl"
#include "xfloat_transcendental.glsl"

X formula(X t, X k, uint at) {
  X v0 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // start
  X v1 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // where(greater(steps, 0), steps, 1)
  X v2 = t;
  X v3 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // begin
  X v4 = x_sub(v2, v3);
  X v5 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // steps
  bool v6 = x_less(v4, v5);
  X v7 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // 0
  X v8 = x_maximum(v4, v7);
  X v9 = x_where(v6, v8, v1);
  X v10 = x_sub(v1, v9);
  X v11 = x_div(v10, v1);
  L v12 = x_log2(v11);
  X v13 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // power
  X v14 = x_power_from_log(v12, v13);
  X v15 = x_mul(v0, v14);
  X v16 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // end
  X v17 = x_div(v9, v1);
  X v18 = x_from_words(jobs[at + 21u], jobs[at + 22u], jobs[at + 23u]);  // 1
  bool v19 = x_less(v17, v18);
  X v20 = x_where(v19, v17, v7);
  X v21 = x_negative(v20);
  X v22 = x_add(v18, v21);
  bool v23 = x_equal(v22, v18);
  X v24 = x_log(v22);
  X v25 = x_sub(v22, v18);
  X v26 = x_div(v21, v25);
  X v27 = x_mul(v24, v26);
  X v28 = x_where(v23, v21, v27);
  X v29 = x_mul(v13, v28);
  X v30 = x_from_words(jobs[at + 24u], jobs[at + 25u], jobs[at + 26u]);  // -64
  bool v31 = x_less(v29, v30);
  X v32 = x_from_words(jobs[at + 27u], jobs[at + 28u], jobs[at + 29u]);  // -1
  X v33 = x_exp(v29);
  bool v34 = x_equal(v33, v18);
  X v35 = x_sub(v33, v18);
  X v36 = x_log(v33);
  X v37 = x_div(v29, v36);
  X v38 = x_mul(v35, v37);
  X v39 = x_where(v34, v29, v38);
  X v40 = x_where(v31, v32, v39);
  X v41 = x_negative(v40);
  X v42 = x_from_words(jobs[at + 30u], jobs[at + 31u], jobs[at + 32u]);  // where(greater(power, 0), 1, 0)
  X v43 = x_where(v19, v41, v42);
  X v44 = x_mul(v16, v43);
  X v45 = x_add(v15, v44);
  return v45;
}
