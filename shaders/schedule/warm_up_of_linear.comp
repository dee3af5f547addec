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
  X v16 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // where(greater(where(less(subtract(0.0, schedule.begin), schedule.steps), maximum(subtract(0.0, schedule.begin), 0), where(greater(schedule.steps, 0), schedule.steps, 1)), 0), where(less(where(less(subtract(0.0, schedule.begin), schedule.steps), maximum(subtract(0.0, schedule.begin), 0), [...]
  X v17 = x_mul(v16, v10);
  X v18 = x_add(v15, v17);
  X v19 = x_div(v18, v9);
  X v20 = x_where(v12, v19, v16);
  X v21 = x_where(v11, v20, v13);
  X v22 = x_sub(v2, v3);
  X v23 = x_maximum(v22, v5);
  X v24 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // schedule.begin
  X v25 = x_sub(v23, v24);
  X v26 = x_from_words(jobs[at + 21u], jobs[at + 22u], jobs[at + 23u]);  // schedule.steps
  bool v27 = x_less(v25, v26);
  X v28 = x_maximum(v25, v5);
  X v29 = x_from_words(jobs[at + 24u], jobs[at + 25u], jobs[at + 26u]);  // where(greater(schedule.steps, 0), schedule.steps, 1)
  X v30 = x_where(v27, v28, v29);
  bool v31 = x_greater(v30, v5);
  bool v32 = x_less(v30, v29);
  X v33 = x_from_words(jobs[at + 27u], jobs[at + 28u], jobs[at + 29u]);  // schedule.start
  X v34 = x_sub(v29, v30);
  X v35 = x_mul(v33, v34);
  X v36 = x_from_words(jobs[at + 30u], jobs[at + 31u], jobs[at + 32u]);  // schedule.end
  X v37 = x_mul(v36, v30);
  X v38 = x_add(v35, v37);
  X v39 = x_div(v38, v29);
  X v40 = x_where(v32, v39, v36);
  X v41 = x_where(v31, v40, v33);
  X v42 = x_where(v4, v21, v41);
  return v42;
}
