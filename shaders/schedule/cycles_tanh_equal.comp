#version 450
#extension GL_GOOGLE_include_directive : require
// ``cycle`` again and again; ``restarts`` makes it.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 49u;
#include "fill.glsl"
#include "xfloat_transcendental.glsl"

X formula(X t, X k, uint at) {
  X v0 = t;
  X v1 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // cycle.steps
  X v2 = x_floor_divide(v0, v1);
  X v3 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // limit
  bool v4 = x_less(v2, v3);
  X v5 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // cycle.low
  L v6 = l_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u], jobs[at + 12u], jobs[at + 13u]);  // log2_of_base(low_decay)
  X v7 = x_from_words(jobs[at + 14u], jobs[at + 15u], jobs[at + 16u]);  // subtract(limit, 1.0)
  X v8 = x_minimum(v2, v7);
  X v9 = x_from_words(jobs[at + 17u], jobs[at + 18u], jobs[at + 19u]);  // 0.0
  X v10 = x_maximum(v8, v9);
  X v11 = x_power_from_log(v6, v10);
  X v12 = x_mul(v5, v11);
  X v13 = x_from_words(jobs[at + 20u], jobs[at + 21u], jobs[at + 22u]);  // 2.0
  X v14 = x_from_words(jobs[at + 23u], jobs[at + 24u], jobs[at + 25u]);  // cycle.lower
  X v15 = x_from_words(jobs[at + 26u], jobs[at + 27u], jobs[at + 28u]);  // where(greater(cycle.steps, 0), cycle.steps, 1)
  X v16 = x_remainder(v0, v1);
  X v17 = x_from_words(jobs[at + 29u], jobs[at + 30u], jobs[at + 31u]);  // 0
  X v18 = x_sub(v16, v17);
  bool v19 = x_less(v18, v1);
  X v20 = x_maximum(v18, v17);
  X v21 = x_where(v19, v20, v15);
  X v22 = x_sub(v15, v21);
  X v23 = x_mul(v14, v22);
  X v24 = x_from_words(jobs[at + 32u], jobs[at + 33u], jobs[at + 34u]);  // cycle.upper
  X v25 = x_mul(v24, v21);
  X v26 = x_add(v23, v25);
  X v27 = x_mul(v13, v26);
  X v28 = x_div(v27, v15);
  bool v29 = x_greater(v28, v17);
  X v30 = x_from_words(jobs[at + 35u], jobs[at + 36u], jobs[at + 37u]);  // 1.0
  X v31 = x_absolute(v28);
  X v32 = x_negative(v31);
  X v33 = x_exp(v32);
  X v34 = x_add(v30, v33);
  X v35 = x_div(v30, v34);
  X v36 = x_div(v33, v34);
  X v37 = x_where(v29, v35, v36);
  X v38 = x_mul(v12, v37);
  X v39 = x_from_words(jobs[at + 38u], jobs[at + 39u], jobs[at + 40u]);  // toward
  L v40 = l_from_words(jobs[at + 41u], jobs[at + 42u], jobs[at + 43u], jobs[at + 44u], jobs[at + 45u]);  // log2_of_base(decay)
  X v41 = x_power_from_log(v40, v10);
  X v42 = x_sub(v30, v41);
  X v43 = x_mul(v39, v42);
  X v44 = x_from_words(jobs[at + 46u], jobs[at + 47u], jobs[at + 48u]);  // cycle.high
  X v45 = x_mul(v44, v41);
  X v46 = x_add(v43, v45);
  X v47 = x_where(v29, v36, v35);
  X v48 = x_mul(v46, v47);
  X v49 = x_add(v38, v48);
  X v50 = x_where(v4, v49, v12);
  return v50;
}
