#version 450
#extension GL_GOOGLE_include_directive : require
// From ``start`` to ``target`` in ``steps`` steps, then the schedule.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 27u;
#include "fill.glsl"
#include "xfloat_transcendental.glsl"

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
  X v14 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // maximum(where(greater(steps, 0), steps, 1), 2)
  X v15 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // 1
  X v16 = x_add(v10, v15);
  X v17 = x_minimum(v16, v14);
  X v18 = x_div(v14, v17);
  X v19 = x_log(v18);
  X v20 = x_mul(v13, v19);
  X v21 = x_from_words(jobs[at + 21u], jobs[at + 22u], jobs[at + 23u]);  // schedule.value
  X v22 = x_log(v17);
  X v23 = x_mul(v21, v22);
  X v24 = x_add(v20, v23);
  X v25 = x_from_words(jobs[at + 24u], jobs[at + 25u], jobs[at + 26u]);  // log(maximum(where(greater(steps, 0), steps, 1), 2))
  X v26 = x_div(v24, v25);
  X v27 = x_where(v12, v26, v21);
  X v28 = x_where(v11, v27, v13);
  X v29 = x_where(v4, v28, v21);
  return v29;
}
