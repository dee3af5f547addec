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
  X v5 = x_remainder(v0, v1);
  bool v6 = x_less(v5, v1);
  X v7 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // cycle.low
  L v8 = l_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u], jobs[at + 12u], jobs[at + 13u]);  // log2_of_base(low_decay)
  X v9 = x_from_words(jobs[at + 14u], jobs[at + 15u], jobs[at + 16u]);  // subtract(limit, 1.0)
  X v10 = x_minimum(v2, v9);
  X v11 = x_from_words(jobs[at + 17u], jobs[at + 18u], jobs[at + 19u]);  // 0.0
  X v12 = x_maximum(v10, v11);
  X v13 = x_power_from_log(v8, v12);
  X v14 = x_mul(v7, v13);
  X v15 = x_from_words(jobs[at + 20u], jobs[at + 21u], jobs[at + 22u]);  // multiply(2.0, cycle.cycles)
  X v16 = x_from_words(jobs[at + 23u], jobs[at + 24u], jobs[at + 25u]);  // 0
  X v17 = x_sub(v5, v16);
  bool v18 = x_less(v17, v1);
  X v19 = x_maximum(v17, v16);
  X v20 = x_from_words(jobs[at + 26u], jobs[at + 27u], jobs[at + 28u]);  // where(greater(cycle.steps, 0), cycle.steps, 1)
  X v21 = x_where(v18, v19, v20);
  X v22 = x_mul(v15, v21);
  X v23 = x_div(v22, v20);
  X v24 = x_half_cosine(v23);
  X v25 = x_mul(v14, v24);
  X v26 = x_from_words(jobs[at + 29u], jobs[at + 30u], jobs[at + 31u]);  // toward
  X v27 = x_from_words(jobs[at + 32u], jobs[at + 33u], jobs[at + 34u]);  // 1.0
  L v28 = l_from_words(jobs[at + 35u], jobs[at + 36u], jobs[at + 37u], jobs[at + 38u], jobs[at + 39u]);  // log2_of_base(decay)
  X v29 = x_power_from_log(v28, v12);
  X v30 = x_sub(v27, v29);
  X v31 = x_mul(v26, v30);
  X v32 = x_from_words(jobs[at + 40u], jobs[at + 41u], jobs[at + 42u]);  // cycle.high
  X v33 = x_mul(v32, v29);
  X v34 = x_add(v31, v33);
  X v35 = x_sub(v20, v22);
  X v36 = x_div(v35, v20);
  X v37 = x_half_cosine(v36);
  X v38 = x_mul(v34, v37);
  X v39 = x_add(v25, v38);
  X v40 = x_where(v6, v39, v14);
  X v41 = x_where(v4, v40, v14);
  return v41;
}
