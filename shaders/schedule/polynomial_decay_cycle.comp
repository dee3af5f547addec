#version 450
#extension GL_GOOGLE_include_directive : require
// From ``start`` to ``end`` along a power of the share of steps that is left; level outside.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 30u;
#include "fill.glsl"
#include "xfloat_transcendental.glsl"

X formula(X t, X k, uint at) {
  X v0 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // start
  X v1 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // steps
  X v2 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // begin
  X v3 = t;
  X v4 = x_sub(v2, v3);
  X v5 = x_floor_divide(v4, v1);
  X v6 = x_negative(v5);
  X v7 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // 1
  X v8 = x_maximum(v6, v7);
  X v9 = x_mul(v1, v8);
  X v10 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // 0
  bool v11 = x_greater(v9, v10);
  X v12 = x_where(v11, v9, v7);
  X v13 = x_sub(v3, v2);
  bool v14 = x_less(v13, v9);
  X v15 = x_maximum(v13, v10);
  X v16 = x_where(v14, v15, v12);
  X v17 = x_sub(v12, v16);
  X v18 = x_div(v17, v12);
  L v19 = x_log2(v18);
  X v20 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // power
  X v21 = x_power_from_log(v19, v20);
  X v22 = x_mul(v0, v21);
  X v23 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // end
  X v24 = x_div(v16, v12);
  bool v25 = x_less(v24, v7);
  X v26 = x_where(v25, v24, v10);
  X v27 = x_negative(v26);
  X v28 = x_add(v7, v27);
  bool v29 = x_equal(v28, v7);
  X v30 = x_log(v28);
  X v31 = x_sub(v28, v7);
  X v32 = x_div(v27, v31);
  X v33 = x_mul(v30, v32);
  X v34 = x_where(v29, v27, v33);
  X v35 = x_mul(v20, v34);
  X v36 = x_from_words(jobs[at + 21u], jobs[at + 22u], jobs[at + 23u]);  // -64
  bool v37 = x_less(v35, v36);
  X v38 = x_from_words(jobs[at + 24u], jobs[at + 25u], jobs[at + 26u]);  // -1
  X v39 = x_exp(v35);
  bool v40 = x_equal(v39, v7);
  X v41 = x_sub(v39, v7);
  X v42 = x_log(v39);
  X v43 = x_div(v35, v42);
  X v44 = x_mul(v41, v43);
  X v45 = x_where(v40, v35, v44);
  X v46 = x_where(v37, v38, v45);
  X v47 = x_negative(v46);
  X v48 = x_from_words(jobs[at + 27u], jobs[at + 28u], jobs[at + 29u]);  // where(greater(power, 0), 1, 0)
  X v49 = x_where(v25, v47, v48);
  X v50 = x_mul(v23, v49);
  X v51 = x_add(v22, v50);
  return v51;
}
