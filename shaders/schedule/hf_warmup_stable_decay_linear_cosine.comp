#version 450
#extension GL_GOOGLE_include_directive : require
// The product of schedules.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 39u;
#include "fill.glsl"

X formula(X t, X k, uint at) {
  X v0 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // members[0].value
  X v1 = t;
  X v2 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // members[1].first
  X v3 = x_add(v1, v2);
  X v4 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // members[1].steps
  bool v5 = x_less(v3, v4);
  X v6 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // 0
  X v7 = x_sub(v3, v6);
  bool v8 = x_less(v7, v4);
  X v9 = x_maximum(v7, v6);
  X v10 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // where(greater(members[1].steps, 0), members[1].steps, 1)
  X v11 = x_where(v8, v9, v10);
  bool v12 = x_greater(v11, v6);
  bool v13 = x_less(v11, v10);
  X v14 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // members[1].start
  X v15 = x_sub(v10, v11);
  X v16 = x_mul(v14, v15);
  X v17 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // members[1].target
  X v18 = x_mul(v17, v11);
  X v19 = x_add(v16, v18);
  X v20 = x_div(v19, v10);
  X v21 = x_where(v13, v20, v17);
  X v22 = x_where(v12, v21, v14);
  X v23 = x_sub(v3, v4);
  X v24 = x_maximum(v23, v6);
  X v25 = x_from_words(jobs[at + 21u], jobs[at + 22u], jobs[at + 23u]);  // members[1].schedule.by
  X v26 = x_sub(v24, v25);
  X v27 = x_from_words(jobs[at + 24u], jobs[at + 25u], jobs[at + 26u]);  // members[1].schedule.schedule.steps
  bool v28 = x_less(v26, v27);
  X v29 = x_from_words(jobs[at + 27u], jobs[at + 28u], jobs[at + 29u]);  // members[1].schedule.schedule.low
  X v30 = x_from_words(jobs[at + 30u], jobs[at + 31u], jobs[at + 32u]);  // multiply(2.0, members[1].schedule.schedule.cycles)
  X v31 = x_sub(v26, v6);
  bool v32 = x_less(v31, v27);
  X v33 = x_maximum(v31, v6);
  X v34 = x_from_words(jobs[at + 33u], jobs[at + 34u], jobs[at + 35u]);  // where(greater(members[1].schedule.schedule.steps, 0), members[1].schedule.schedule.steps, 1)
  X v35 = x_where(v32, v33, v34);
  X v36 = x_mul(v30, v35);
  X v37 = x_div(v36, v34);
  X v38 = x_half_cosine(v37);
  X v39 = x_mul(v29, v38);
  X v40 = x_from_words(jobs[at + 36u], jobs[at + 37u], jobs[at + 38u]);  // members[1].schedule.schedule.high
  X v41 = x_sub(v34, v36);
  X v42 = x_div(v41, v34);
  X v43 = x_half_cosine(v42);
  X v44 = x_mul(v40, v43);
  X v45 = x_add(v39, v44);
  X v46 = x_where(v28, v45, v29);
  X v47 = x_where(v5, v22, v46);
  X v48 = x_mul(v0, v47);
  return v48;
}
