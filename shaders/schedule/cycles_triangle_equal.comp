#version 450
#extension GL_GOOGLE_include_directive : require
// ``cycle`` again and again; ``restarts`` makes it.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 43u;
#include "fill.glsl"

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
  X v14 = x_remainder(v0, v1);
  X v15 = x_from_words(jobs[at + 23u], jobs[at + 24u], jobs[at + 25u]);  // 0
  X v16 = x_sub(v14, v15);
  bool v17 = x_less(v16, v1);
  X v18 = x_maximum(v16, v15);
  X v19 = x_from_words(jobs[at + 26u], jobs[at + 27u], jobs[at + 28u]);  // where(greater(cycle.steps, 0), cycle.steps, 1)
  X v20 = x_where(v17, v18, v19);
  X v21 = x_sub(v19, v20);
  X v22 = x_minimum(v20, v21);
  X v23 = x_mul(v13, v22);
  X v24 = x_mul(v12, v23);
  X v25 = x_from_words(jobs[at + 29u], jobs[at + 30u], jobs[at + 31u]);  // toward
  X v26 = x_from_words(jobs[at + 32u], jobs[at + 33u], jobs[at + 34u]);  // 1.0
  L v27 = l_from_words(jobs[at + 35u], jobs[at + 36u], jobs[at + 37u], jobs[at + 38u], jobs[at + 39u]);  // log2_of_base(decay)
  X v28 = x_power_from_log(v27, v10);
  X v29 = x_sub(v26, v28);
  X v30 = x_mul(v25, v29);
  X v31 = x_from_words(jobs[at + 40u], jobs[at + 41u], jobs[at + 42u]);  // cycle.high
  X v32 = x_mul(v31, v28);
  X v33 = x_add(v30, v32);
  X v34 = x_mul(v13, v20);
  X v35 = x_sub(v19, v34);
  X v36 = x_absolute(v35);
  X v37 = x_mul(v33, v36);
  X v38 = x_add(v24, v37);
  X v39 = x_div(v38, v19);
  X v40 = x_where(v4, v39, v12);
  return v40;
}
