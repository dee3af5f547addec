#version 450
#extension GL_GOOGLE_include_directive : require
// From ``start`` to ``target`` in ``steps`` steps, then the schedule.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 33u;
#include "fill.glsl"

X formula(X t, X k, uint at) {
  X v0 = t;
  X v1 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // first
  X v2 = x_add(v0, v1);
  X v3 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // steps
  bool v4 = x_less(v2, v3);
  X v5 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // 0
  X v6 = x_sub(v2, v5);
  bool v7 = x_less(v6, v3);
  X v8 = x_maximum(v6, v5);
  X v9 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // where(greater(steps, 0), steps, 1)
  X v10 = x_where(v7, v8, v9);
  bool v11 = x_greater(v10, v5);
  bool v12 = x_less(v10, v9);
  X v13 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // start
  X v14 = x_sub(v9, v10);
  X v15 = x_mul(v13, v14);
  X v16 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // where(greater(schedule.steps, 0.0), add(multiply(schedule.low, half_cosine(divide(multiply(multiply(2.0, schedule.cycles), where(greater(schedule.steps, 0.0), np.float64(0.0), where(greater(schedule.steps, 0), schedule.steps, 1))), where(greater(schedule.steps, 0), schedule.steps, 1)))), [...]
  X v17 = x_mul(v16, v10);
  X v18 = x_add(v15, v17);
  X v19 = x_div(v18, v9);
  X v20 = x_where(v12, v19, v16);
  X v21 = x_where(v11, v20, v13);
  X v22 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // schedule.steps
  bool v23 = x_less(v0, v22);
  X v24 = x_from_words(jobs[at + 21u], jobs[at + 22u], jobs[at + 23u]);  // schedule.low
  X v25 = x_from_words(jobs[at + 24u], jobs[at + 25u], jobs[at + 26u]);  // multiply(2.0, schedule.cycles)
  X v26 = x_sub(v0, v5);
  bool v27 = x_less(v26, v22);
  X v28 = x_maximum(v26, v5);
  X v29 = x_from_words(jobs[at + 27u], jobs[at + 28u], jobs[at + 29u]);  // where(greater(schedule.steps, 0), schedule.steps, 1)
  X v30 = x_where(v27, v28, v29);
  X v31 = x_mul(v25, v30);
  X v32 = x_div(v31, v29);
  X v33 = x_half_cosine(v32);
  X v34 = x_mul(v24, v33);
  X v35 = x_from_words(jobs[at + 30u], jobs[at + 31u], jobs[at + 32u]);  // schedule.high
  X v36 = x_sub(v29, v31);
  X v37 = x_div(v36, v29);
  X v38 = x_half_cosine(v37);
  X v39 = x_mul(v35, v38);
  X v40 = x_add(v34, v39);
  X v41 = x_where(v23, v40, v24);
  X v42 = x_where(v4, v21, v41);
  return v42;
}
