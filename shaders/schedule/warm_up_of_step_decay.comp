#version 450
#extension GL_GOOGLE_include_directive : require
// From ``start`` to ``target`` in ``steps`` steps, then the schedule.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 39u;
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
  X v16 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // where(logical_and(less(schedule.gamma, 0), equal(remainder(subtract(floor_divide(0.0, schedule.step_size), schedule.drops), 2), 1)), negative(multiply(schedule.value, power_from_log(log2_of_base(absolute(schedule.gamma)), subtract(floor_divide(0.0, schedule.step_size), schedule.drops)))), [...]
  X v17 = x_mul(v16, v10);
  X v18 = x_add(v15, v17);
  X v19 = x_div(v18, v9);
  X v20 = x_where(v12, v19, v16);
  X v21 = x_where(v11, v20, v13);
  bool v22 = (jobs[at + 18u] != 0u);  // less(schedule.gamma, 0)
  X v23 = x_sub(v2, v3);
  X v24 = x_maximum(v23, v5);
  X v25 = x_from_words(jobs[at + 19u], jobs[at + 20u], jobs[at + 21u]);  // schedule.step_size
  X v26 = x_floor_divide(v24, v25);
  X v27 = x_from_words(jobs[at + 22u], jobs[at + 23u], jobs[at + 24u]);  // schedule.drops
  X v28 = x_sub(v26, v27);
  X v29 = x_from_words(jobs[at + 25u], jobs[at + 26u], jobs[at + 27u]);  // 2
  X v30 = x_remainder(v28, v29);
  X v31 = x_from_words(jobs[at + 28u], jobs[at + 29u], jobs[at + 30u]);  // 1
  bool v32 = x_equal(v30, v31);
  bool v33 = (v22 && v32);
  X v34 = x_from_words(jobs[at + 31u], jobs[at + 32u], jobs[at + 33u]);  // schedule.value
  L v35 = l_from_words(jobs[at + 34u], jobs[at + 35u], jobs[at + 36u], jobs[at + 37u], jobs[at + 38u]);  // log2_of_base(absolute(schedule.gamma))
  X v36 = x_power_from_log(v35, v28);
  X v37 = x_mul(v34, v36);
  X v38 = x_negative(v37);
  X v39 = x_where(v33, v38, v37);
  X v40 = x_where(v4, v21, v39);
  return v40;
}
