#version 450
#extension GL_GOOGLE_include_directive : require
// Half a cosine from ``high`` at step 0 to ``low``, the value from step ``steps`` on.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 33u;
#include "fill.glsl"
#include "xfloat_transcendental.glsl"

X formula(X t, X k, uint at) {
  X v0 = t;
  X v1 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // steps
  bool v2 = x_less(v0, v1);
  X v3 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // low
  X v4 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // multiply(2.0, cycles)
  X v5 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // 0
  X v6 = x_sub(v0, v5);
  bool v7 = x_less(v6, v1);
  X v8 = x_maximum(v6, v5);
  X v9 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // where(greater(steps, 0), steps, 1)
  X v10 = x_where(v7, v8, v9);
  X v11 = x_mul(v4, v10);
  X v12 = x_div(v11, v9);
  X v13 = x_half_cosine(v12);
  X v14 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // 1
  bool v15 = x_less(v13, v14);
  X v16 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // exponent
  X v17 = x_where(v15, v13, v5);
  X v18 = x_negative(v17);
  X v19 = x_add(v14, v18);
  bool v20 = x_equal(v19, v14);
  X v21 = x_log(v19);
  X v22 = x_sub(v19, v14);
  X v23 = x_div(v18, v22);
  X v24 = x_mul(v21, v23);
  X v25 = x_where(v20, v18, v24);
  X v26 = x_mul(v16, v25);
  X v27 = x_from_words(jobs[at + 21u], jobs[at + 22u], jobs[at + 23u]);  // -64
  bool v28 = x_less(v26, v27);
  X v29 = x_from_words(jobs[at + 24u], jobs[at + 25u], jobs[at + 26u]);  // -1
  X v30 = x_exp(v26);
  bool v31 = x_equal(v30, v14);
  X v32 = x_sub(v30, v14);
  X v33 = x_log(v30);
  X v34 = x_div(v26, v33);
  X v35 = x_mul(v32, v34);
  X v36 = x_where(v31, v26, v35);
  X v37 = x_where(v28, v29, v36);
  X v38 = x_negative(v37);
  X v39 = x_from_words(jobs[at + 27u], jobs[at + 28u], jobs[at + 29u]);  // where(greater(exponent, 0), 1, 0)
  X v40 = x_where(v15, v38, v39);
  X v41 = x_mul(v3, v40);
  X v42 = x_from_words(jobs[at + 30u], jobs[at + 31u], jobs[at + 32u]);  // high
  X v43 = x_sub(v9, v11);
  X v44 = x_div(v43, v9);
  X v45 = x_half_cosine(v44);
  L v46 = x_log2(v45);
  X v47 = x_power_from_log(v46, v16);
  X v48 = x_mul(v42, v47);
  X v49 = x_add(v41, v48);
  X v50 = x_where(v2, v49, v3);
  return v50;
}
