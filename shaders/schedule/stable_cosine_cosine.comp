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
  X v15 = x_div(v14, v9);
  X v16 = x_half_cosine(v15);
  X v17 = x_mul(v13, v16);
  X v18 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // target
  X v19 = x_div(v10, v9);
  X v20 = x_half_cosine(v19);
  X v21 = x_mul(v18, v20);
  X v22 = x_add(v17, v21);
  X v23 = x_where(v12, v22, v18);
  X v24 = x_where(v11, v23, v13);
  X v25 = x_sub(v2, v3);
  X v26 = x_maximum(v25, v5);
  X v27 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // schedule.by
  X v28 = x_sub(v26, v27);
  X v29 = x_from_words(jobs[at + 21u], jobs[at + 22u], jobs[at + 23u]);  // schedule.schedule.steps
  bool v30 = x_less(v28, v29);
  X v31 = x_from_words(jobs[at + 24u], jobs[at + 25u], jobs[at + 26u]);  // schedule.schedule.low
  X v32 = x_from_words(jobs[at + 27u], jobs[at + 28u], jobs[at + 29u]);  // multiply(2.0, schedule.schedule.cycles)
  X v33 = x_sub(v28, v5);
  bool v34 = x_less(v33, v29);
  X v35 = x_maximum(v33, v5);
  X v36 = x_from_words(jobs[at + 30u], jobs[at + 31u], jobs[at + 32u]);  // where(greater(schedule.schedule.steps, 0), schedule.schedule.steps, 1)
  X v37 = x_where(v34, v35, v36);
  X v38 = x_mul(v32, v37);
  X v39 = x_div(v38, v36);
  X v40 = x_half_cosine(v39);
  X v41 = x_mul(v31, v40);
  X v42 = x_from_words(jobs[at + 33u], jobs[at + 34u], jobs[at + 35u]);  // schedule.schedule.high
  X v43 = x_sub(v36, v38);
  X v44 = x_div(v43, v36);
  X v45 = x_half_cosine(v44);
  X v46 = x_mul(v42, v45);
  X v47 = x_add(v41, v46);
  X v48 = x_where(v30, v47, v31);
  X v49 = x_where(v4, v24, v48);
  return v49;
}
