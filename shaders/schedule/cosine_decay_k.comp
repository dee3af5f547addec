#version 450
#extension GL_GOOGLE_include_directive : require
// Half a cosine from ``high`` at step 0 to ``low``, the value from step ``steps`` on.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 36u;
#include "fill.glsl"
#include "xfloat_transcendental.glsl"

X formula(X t, X k, uint at) {
  X v0 = t;
  X v1 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // steps
  bool v2 = x_less(v0, v1);
  X v3 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // low
  X v4 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // 0
  X v5 = x_sub(v0, v4);
  bool v6 = x_less(v5, v1);
  X v7 = x_maximum(v5, v4);
  X v8 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // where(greater(steps, 0), steps, 1)
  X v9 = x_where(v6, v7, v8);
  X v10 = x_div(v9, v8);
  L v11 = x_log2(v10);
  X v12 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // k_decay
  X v13 = x_power_from_log(v11, v12);
  X v14 = x_half_cosine(v13);
  X v15 = x_mul(v3, v14);
  X v16 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // high
  X v17 = x_sub(v8, v9);
  X v18 = x_div(v17, v8);
  X v19 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // 0.5
  bool v20 = x_less(v18, v19);
  X v21 = x_from_words(jobs[at + 21u], jobs[at + 22u], jobs[at + 23u]);  // 1
  bool v22 = x_less(v18, v21);
  X v23 = x_where(v22, v18, v4);
  X v24 = x_negative(v23);
  X v25 = x_add(v21, v24);
  bool v26 = x_equal(v25, v21);
  X v27 = x_log(v25);
  X v28 = x_sub(v25, v21);
  X v29 = x_div(v24, v28);
  X v30 = x_mul(v27, v29);
  X v31 = x_where(v26, v24, v30);
  X v32 = x_mul(v12, v31);
  X v33 = x_from_words(jobs[at + 24u], jobs[at + 25u], jobs[at + 26u]);  // -64
  bool v34 = x_less(v32, v33);
  X v35 = x_from_words(jobs[at + 27u], jobs[at + 28u], jobs[at + 29u]);  // -1
  X v36 = x_exp(v32);
  bool v37 = x_equal(v36, v21);
  X v38 = x_sub(v36, v21);
  X v39 = x_log(v36);
  X v40 = x_div(v32, v39);
  X v41 = x_mul(v38, v40);
  X v42 = x_where(v37, v32, v41);
  X v43 = x_where(v34, v35, v42);
  X v44 = x_negative(v43);
  X v45 = x_from_words(jobs[at + 30u], jobs[at + 31u], jobs[at + 32u]);  // where(greater(k_decay, 0), 1, 0)
  X v46 = x_where(v22, v44, v45);
  X v47 = x_from_words(jobs[at + 33u], jobs[at + 34u], jobs[at + 35u]);  // 1.0
  X v48 = x_sub(v47, v13);
  X v49 = x_where(v20, v46, v48);
  X v50 = x_half_cosine(v49);
  X v51 = x_mul(v16, v50);
  X v52 = x_add(v15, v51);
  X v53 = x_where(v2, v52, v3);
  return v53;
}
