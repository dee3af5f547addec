#version 450
#extension GL_GOOGLE_include_directive : require
// Half a cosine from ``high`` at step 0 to ``low``, the value from step ``steps`` on.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 30u;
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
  X v7 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // 1
  bool v8 = x_less(v6, v7);
  X v9 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // exponent
  X v10 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // 0
  X v11 = x_where(v8, v6, v10);
  X v12 = x_negative(v11);
  X v13 = x_add(v7, v12);
  bool v14 = x_equal(v13, v7);
  X v15 = x_log(v13);
  X v16 = x_sub(v13, v7);
  X v17 = x_div(v12, v16);
  X v18 = x_mul(v15, v17);
  X v19 = x_where(v14, v12, v18);
  X v20 = x_mul(v9, v19);
  X v21 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // -64
  bool v22 = x_less(v20, v21);
  X v23 = x_from_words(jobs[at + 21u], jobs[at + 22u], jobs[at + 23u]);  // -1
  X v24 = x_exp(v20);
  bool v25 = x_equal(v24, v7);
  X v26 = x_sub(v24, v7);
  X v27 = x_log(v24);
  X v28 = x_div(v20, v27);
  X v29 = x_mul(v26, v28);
  X v30 = x_where(v25, v20, v29);
  X v31 = x_where(v22, v23, v30);
  X v32 = x_negative(v31);
  X v33 = x_from_words(jobs[at + 24u], jobs[at + 25u], jobs[at + 26u]);  // where(greater(exponent, 0), 1, 0)
  X v34 = x_where(v8, v32, v33);
  X v35 = x_mul(v0, v34);
  X v36 = x_from_words(jobs[at + 27u], jobs[at + 28u], jobs[at + 29u]);  // high
  X v37 = x_sub(v4, v3);
  X v38 = x_div(v37, v4);
  X v39 = x_half_cosine(v38);
  L v40 = x_log2(v39);
  X v41 = x_power_from_log(v40, v9);
  X v42 = x_mul(v36, v41);
  X v43 = x_add(v35, v42);
  return v43;
}
