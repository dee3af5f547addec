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
  X v6 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // cycle.begin
  X v7 = x_sub(v5, v6);
  bool v8 = x_less(v7, v1);
  X v9 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // 0
  X v10 = x_maximum(v7, v9);
  X v11 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // where(greater(cycle.steps, 0), cycle.steps, 1)
  X v12 = x_where(v8, v10, v11);
  bool v13 = x_greater(v12, v9);
  bool v14 = x_less(v12, v11);
  X v15 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // toward
  X v16 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // 1.0
  L v17 = l_from_words(jobs[at + 21u], jobs[at + 22u], jobs[at + 23u], jobs[at + 24u], jobs[at + 25u]);  // log2_of_base(decay)
  X v18 = x_from_words(jobs[at + 26u], jobs[at + 27u], jobs[at + 28u]);  // subtract(limit, 1.0)
  X v19 = x_minimum(v2, v18);
  X v20 = x_from_words(jobs[at + 29u], jobs[at + 30u], jobs[at + 31u]);  // 0.0
  X v21 = x_maximum(v19, v20);
  X v22 = x_power_from_log(v17, v21);
  X v23 = x_sub(v16, v22);
  X v24 = x_mul(v15, v23);
  X v25 = x_from_words(jobs[at + 32u], jobs[at + 33u], jobs[at + 34u]);  // cycle.start
  X v26 = x_mul(v25, v22);
  X v27 = x_add(v24, v26);
  X v28 = x_sub(v11, v12);
  X v29 = x_mul(v27, v28);
  X v30 = x_from_words(jobs[at + 35u], jobs[at + 36u], jobs[at + 37u]);  // cycle.end
  L v31 = l_from_words(jobs[at + 38u], jobs[at + 39u], jobs[at + 40u], jobs[at + 41u], jobs[at + 42u]);  // log2_of_base(low_decay)
  X v32 = x_power_from_log(v31, v21);
  X v33 = x_mul(v30, v32);
  X v34 = x_mul(v33, v12);
  X v35 = x_add(v29, v34);
  X v36 = x_div(v35, v11);
  X v37 = x_where(v14, v36, v33);
  X v38 = x_where(v13, v37, v27);
  X v39 = x_where(v4, v38, v33);
  return v39;
}
