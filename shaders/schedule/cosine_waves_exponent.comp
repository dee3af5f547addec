#version 450
#extension GL_GOOGLE_include_directive : require
// Half a cosine from ``high`` at step 0 to ``low``, the value from step ``steps`` on.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 36u;
#include "fill.glsl"
#include "xfloat_transcendental.glsl"

X formula(X t, X k, uint at) {
  X v0 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // low
  X v1 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // multiply(2.0, cycles)
  X v2 = t;
  X v3 = x_mul(v1, v2);
  X v4 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // steps
  X v5 = x_div(v3, v4);
  X v6 = x_half_cosine(v5);
  X v7 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // 0.5
  bool v8 = x_less(v6, v7);
  X v9 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // 1
  bool v10 = x_less(v6, v9);
  X v11 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // exponent
  X v12 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // 0
  X v13 = x_where(v10, v6, v12);
  X v14 = x_negative(v13);
  X v15 = x_add(v9, v14);
  bool v16 = x_equal(v15, v9);
  X v17 = x_log(v15);
  X v18 = x_sub(v15, v9);
  X v19 = x_div(v14, v18);
  X v20 = x_mul(v17, v19);
  X v21 = x_where(v16, v14, v20);
  X v22 = x_mul(v11, v21);
  X v23 = x_from_words(jobs[at + 21u], jobs[at + 22u], jobs[at + 23u]);  // -64
  bool v24 = x_less(v22, v23);
  X v25 = x_from_words(jobs[at + 24u], jobs[at + 25u], jobs[at + 26u]);  // -1
  X v26 = x_exp(v22);
  bool v27 = x_equal(v26, v9);
  X v28 = x_sub(v26, v9);
  X v29 = x_log(v26);
  X v30 = x_div(v22, v29);
  X v31 = x_mul(v28, v30);
  X v32 = x_where(v27, v22, v31);
  X v33 = x_where(v24, v25, v32);
  X v34 = x_negative(v33);
  X v35 = x_from_words(jobs[at + 27u], jobs[at + 28u], jobs[at + 29u]);  // where(greater(exponent, 0), 1, 0)
  X v36 = x_where(v10, v34, v35);
  X v37 = x_from_words(jobs[at + 30u], jobs[at + 31u], jobs[at + 32u]);  // 1.0
  X v38 = x_sub(v4, v3);
  X v39 = x_div(v38, v4);
  X v40 = x_half_cosine(v39);
  L v41 = x_log2(v40);
  X v42 = x_power_from_log(v41, v11);
  X v43 = x_sub(v37, v42);
  X v44 = x_where(v8, v36, v43);
  X v45 = x_mul(v0, v44);
  X v46 = x_from_words(jobs[at + 33u], jobs[at + 34u], jobs[at + 35u]);  // high
  X v47 = x_mul(v46, v42);
  X v48 = x_add(v45, v47);
  return v48;
}
