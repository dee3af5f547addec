#version 450
#extension GL_GOOGLE_include_directive : require
// The product of schedules.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 39u;
#include "fill.glsl"

X formula(X t, X k, uint at) {
  X v0 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // members[0].value
  X v1 = t;
  X v2 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // members[1].boundaries[0]
  bool v3 = x_greater_equal(v1, v2);
  X v4 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // members[1].phases[1].schedule.low
  X v5 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // multiply(2.0, members[1].phases[1].schedule.cycles)
  X v6 = x_sub(v1, v2);
  X v7 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // 0
  X v8 = x_maximum(v6, v7);
  X v9 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // members[1].phases[1].by
  X v10 = x_sub(v8, v9);
  X v11 = x_mul(v5, v10);
  X v12 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // members[1].phases[1].schedule.steps
  X v13 = x_div(v11, v12);
  X v14 = x_half_cosine(v13);
  X v15 = x_mul(v4, v14);
  X v16 = x_from_words(jobs[at + 21u], jobs[at + 22u], jobs[at + 23u]);  // members[1].phases[1].schedule.high
  X v17 = x_sub(v12, v11);
  X v18 = x_div(v17, v12);
  X v19 = x_half_cosine(v18);
  X v20 = x_mul(v16, v19);
  X v21 = x_add(v15, v20);
  X v22 = x_from_words(jobs[at + 24u], jobs[at + 25u], jobs[at + 26u]);  // members[1].phases[0].begin
  X v23 = x_sub(v1, v22);
  X v24 = x_from_words(jobs[at + 27u], jobs[at + 28u], jobs[at + 29u]);  // members[1].phases[0].steps
  bool v25 = x_less(v23, v24);
  X v26 = x_maximum(v23, v7);
  X v27 = x_from_words(jobs[at + 30u], jobs[at + 31u], jobs[at + 32u]);  // where(greater(members[1].phases[0].steps, 0), members[1].phases[0].steps, 1)
  X v28 = x_where(v25, v26, v27);
  bool v29 = x_greater(v28, v7);
  bool v30 = x_less(v28, v27);
  X v31 = x_from_words(jobs[at + 33u], jobs[at + 34u], jobs[at + 35u]);  // members[1].phases[0].start
  X v32 = x_sub(v27, v28);
  X v33 = x_mul(v31, v32);
  X v34 = x_from_words(jobs[at + 36u], jobs[at + 37u], jobs[at + 38u]);  // members[1].phases[0].end
  X v35 = x_mul(v34, v28);
  X v36 = x_add(v33, v35);
  X v37 = x_div(v36, v27);
  X v38 = x_where(v30, v37, v34);
  X v39 = x_where(v29, v38, v31);
  X v40 = x_where(v3, v21, v39);
  X v41 = x_mul(v0, v40);
  return v41;
}
