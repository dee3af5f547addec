#version 450
#extension GL_GOOGLE_include_directive : require
// Half a cosine from ``high`` at step 0 to ``low``, the value from step ``steps`` on.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 39u;
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
  X v14 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // 0.5
  bool v15 = x_less(v13, v14);
  X v16 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // 1
  bool v17 = x_less(v13, v16);
  X v18 = x_from_words(jobs[at + 21u], jobs[at + 22u], jobs[at + 23u]);  // exponent
  X v19 = x_where(v17, v13, v5);
  X v20 = x_negative(v19);
  X v21 = x_add(v16, v20);
  bool v22 = x_equal(v21, v16);
  X v23 = x_log(v21);
  X v24 = x_sub(v21, v16);
  X v25 = x_div(v20, v24);
  X v26 = x_mul(v23, v25);
  X v27 = x_where(v22, v20, v26);
  X v28 = x_mul(v18, v27);
  X v29 = x_from_words(jobs[at + 24u], jobs[at + 25u], jobs[at + 26u]);  // -64
  bool v30 = x_less(v28, v29);
  X v31 = x_from_words(jobs[at + 27u], jobs[at + 28u], jobs[at + 29u]);  // -1
  X v32 = x_exp(v28);
  bool v33 = x_equal(v32, v16);
  X v34 = x_sub(v32, v16);
  X v35 = x_log(v32);
  X v36 = x_div(v28, v35);
  X v37 = x_mul(v34, v36);
  X v38 = x_where(v33, v28, v37);
  X v39 = x_where(v30, v31, v38);
  X v40 = x_negative(v39);
  X v41 = x_from_words(jobs[at + 30u], jobs[at + 31u], jobs[at + 32u]);  // where(greater(exponent, 0), 1, 0)
  X v42 = x_where(v17, v40, v41);
  X v43 = x_from_words(jobs[at + 33u], jobs[at + 34u], jobs[at + 35u]);  // 1.0
  X v44 = x_sub(v9, v11);
  X v45 = x_div(v44, v9);
  X v46 = x_half_cosine(v45);
  L v47 = x_log2(v46);
  X v48 = x_power_from_log(v47, v18);
  X v49 = x_sub(v43, v48);
  X v50 = x_where(v15, v42, v49);
  X v51 = x_mul(v3, v50);
  X v52 = x_from_words(jobs[at + 36u], jobs[at + 37u], jobs[at + 38u]);  // high
  X v53 = x_mul(v52, v48);
  X v54 = x_add(v51, v53);
  X v55 = x_where(v2, v54, v3);
  return v55;
}
