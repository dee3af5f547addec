#version 450
#extension GL_GOOGLE_include_directive : require
// From ``start`` to ``target`` in ``steps`` steps, then the schedule.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 27u;
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
  X v16 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // divide(multiply(schedule.value, sqrt(multiply(schedule.timescale, add(schedule.timescale, maximum(subtract(0.0, schedule.begin), 0))))), add(schedule.timescale, maximum(subtract(0.0, schedule.begin), 0)))
  X v17 = x_mul(v16, v10);
  X v18 = x_add(v15, v17);
  X v19 = x_div(v18, v9);
  X v20 = x_where(v12, v19, v16);
  X v21 = x_where(v11, v20, v13);
  X v22 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // schedule.value
  X v23 = x_from_words(jobs[at + 21u], jobs[at + 22u], jobs[at + 23u]);  // schedule.timescale
  X v24 = x_sub(v2, v3);
  X v25 = x_maximum(v24, v5);
  X v26 = x_from_words(jobs[at + 24u], jobs[at + 25u], jobs[at + 26u]);  // schedule.begin
  X v27 = x_sub(v25, v26);
  X v28 = x_maximum(v27, v5);
  X v29 = x_add(v23, v28);
  X v30 = x_mul(v23, v29);
  X v31 = x_sqrt(v30);
  X v32 = x_mul(v22, v31);
  X v33 = x_div(v32, v29);
  X v34 = x_where(v4, v21, v33);
  return v34;
}
