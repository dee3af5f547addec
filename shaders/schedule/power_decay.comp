#version 450
#extension GL_GOOGLE_include_directive : require
// ``low + (high - low) (1 - (t / steps)^power)``; ``power`` is above 0.
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
  L v10 = x_log2(v9);
  X v11 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // power
  X v12 = x_power_from_log(v10, v11);
  X v13 = x_mul(v0, v12);
  X v14 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // high
  X v15 = x_sub(v7, v8);
  X v16 = x_div(v15, v7);
  X v17 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // 0.5
  bool v18 = x_less(v16, v17);
  X v19 = x_from_words(jobs[at + 21u], jobs[at + 22u], jobs[at + 23u]);  // 1
  bool v20 = x_less(v16, v19);
  X v21 = x_where(v20, v16, v2);
  X v22 = x_negative(v21);
  X v23 = x_add(v19, v22);
  bool v24 = x_equal(v23, v19);
  X v25 = x_log(v23);
  X v26 = x_sub(v23, v19);
  X v27 = x_div(v22, v26);
  X v28 = x_mul(v25, v27);
  X v29 = x_where(v24, v22, v28);
  X v30 = x_mul(v11, v29);
  X v31 = x_from_words(jobs[at + 24u], jobs[at + 25u], jobs[at + 26u]);  // -64
  bool v32 = x_less(v30, v31);
  X v33 = x_from_words(jobs[at + 27u], jobs[at + 28u], jobs[at + 29u]);  // -1
  X v34 = x_exp(v30);
  bool v35 = x_equal(v34, v19);
  X v36 = x_sub(v34, v19);
  X v37 = x_log(v34);
  X v38 = x_div(v30, v37);
  X v39 = x_mul(v36, v38);
  X v40 = x_where(v35, v30, v39);
  X v41 = x_where(v32, v33, v40);
  X v42 = x_negative(v41);
  X v43 = x_from_words(jobs[at + 30u], jobs[at + 31u], jobs[at + 32u]);  // where(greater(power, 0), 1, 0)
  X v44 = x_where(v20, v42, v43);
  X v45 = x_from_words(jobs[at + 33u], jobs[at + 34u], jobs[at + 35u]);  // 1.0
  X v46 = x_sub(v45, v12);
  X v47 = x_where(v18, v44, v46);
  X v48 = x_mul(v14, v47);
  X v49 = x_add(v13, v48);
  return v49;
}
