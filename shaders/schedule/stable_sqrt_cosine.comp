#version 450
#extension GL_GOOGLE_include_directive : require
// From ``start`` to ``target`` in ``steps`` steps, then the schedule.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 36u;
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
  X v15 = x_mul(v9, v14);
  X v16 = x_sqrt(v15);
  X v17 = x_mul(v13, v16);
  X v18 = x_div(v17, v9);
  X v19 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // target
  X v20 = x_add(v9, v16);
  X v21 = x_div(v10, v20);
  X v22 = x_mul(v19, v21);
  X v23 = x_add(v18, v22);
  X v24 = x_where(v12, v23, v19);
  X v25 = x_where(v11, v24, v13);
  X v26 = x_sub(v2, v3);
  X v27 = x_maximum(v26, v5);
  X v28 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // schedule.by
  X v29 = x_sub(v27, v28);
  X v30 = x_from_words(jobs[at + 21u], jobs[at + 22u], jobs[at + 23u]);  // schedule.schedule.steps
  bool v31 = x_less(v29, v30);
  X v32 = x_from_words(jobs[at + 24u], jobs[at + 25u], jobs[at + 26u]);  // schedule.schedule.low
  X v33 = x_from_words(jobs[at + 27u], jobs[at + 28u], jobs[at + 29u]);  // multiply(2.0, schedule.schedule.cycles)
  X v34 = x_sub(v29, v5);
  bool v35 = x_less(v34, v30);
  X v36 = x_maximum(v34, v5);
  X v37 = x_from_words(jobs[at + 30u], jobs[at + 31u], jobs[at + 32u]);  // where(greater(schedule.schedule.steps, 0), schedule.schedule.steps, 1)
  X v38 = x_where(v35, v36, v37);
  X v39 = x_mul(v33, v38);
  X v40 = x_div(v39, v37);
  X v41 = x_half_cosine(v40);
  X v42 = x_mul(v32, v41);
  X v43 = x_from_words(jobs[at + 33u], jobs[at + 34u], jobs[at + 35u]);  // schedule.schedule.high
  X v44 = x_sub(v37, v39);
  X v45 = x_div(v44, v37);
  X v46 = x_half_cosine(v45);
  X v47 = x_mul(v43, v46);
  X v48 = x_add(v42, v47);
  X v49 = x_where(v31, v48, v32);
  X v50 = x_where(v4, v25, v49);
  return v50;
}
