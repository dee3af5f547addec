#version 450
#extension GL_GOOGLE_include_directive : require
// ``value``, multiplied by ``gamma`` at each of ``milestones`` that the step has reached.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 45u;
#include "fill.glsl"

X formula(X t, X k, uint at) {
  bool v0 = (jobs[at + 0u] != 0u);  // less(gamma, 0)
  X v1 = x_from_words(jobs[at + 1u], jobs[at + 2u], jobs[at + 3u]);  // 0.0
  X v2 = t;
  X v3 = x_from_words(jobs[at + 4u], jobs[at + 5u], jobs[at + 6u]);  // milestones[0]
  bool v4 = x_greater_equal(v2, v3);
  X v5 = x_from_words(jobs[at + 7u], jobs[at + 8u], jobs[at + 9u]);  // 1.0
  X v6 = x_where(v4, v5, v1);
  X v7 = x_add(v1, v6);
  X v8 = x_from_words(jobs[at + 10u], jobs[at + 11u], jobs[at + 12u]);  // milestones[1]
  bool v9 = x_greater_equal(v2, v8);
  X v10 = x_where(v9, v5, v1);
  X v11 = x_add(v7, v10);
  X v12 = x_from_words(jobs[at + 13u], jobs[at + 14u], jobs[at + 15u]);  // milestones[2]
  bool v13 = x_greater_equal(v2, v12);
  X v14 = x_where(v13, v5, v1);
  X v15 = x_add(v11, v14);
  X v16 = x_from_words(jobs[at + 16u], jobs[at + 17u], jobs[at + 18u]);  // milestones[3]
  bool v17 = x_greater_equal(v2, v16);
  X v18 = x_where(v17, v5, v1);
  X v19 = x_add(v15, v18);
  X v20 = x_from_words(jobs[at + 19u], jobs[at + 20u], jobs[at + 21u]);  // milestones[4]
  bool v21 = x_greater_equal(v2, v20);
  X v22 = x_where(v21, v5, v1);
  X v23 = x_add(v19, v22);
  X v24 = x_from_words(jobs[at + 22u], jobs[at + 23u], jobs[at + 24u]);  // milestones[5]
  bool v25 = x_greater_equal(v2, v24);
  X v26 = x_where(v25, v5, v1);
  X v27 = x_add(v23, v26);
  X v28 = x_from_words(jobs[at + 25u], jobs[at + 26u], jobs[at + 27u]);  // milestones[6]
  bool v29 = x_greater_equal(v2, v28);
  X v30 = x_where(v29, v5, v1);
  X v31 = x_add(v27, v30);
  X v32 = x_from_words(jobs[at + 28u], jobs[at + 29u], jobs[at + 30u]);  // milestones[7]
  bool v33 = x_greater_equal(v2, v32);
  X v34 = x_where(v33, v5, v1);
  X v35 = x_add(v31, v34);
  X v36 = x_from_words(jobs[at + 31u], jobs[at + 32u], jobs[at + 33u]);  // 2
  X v37 = x_remainder(v35, v36);
  X v38 = x_from_words(jobs[at + 34u], jobs[at + 35u], jobs[at + 36u]);  // 1
  bool v39 = x_equal(v37, v38);
  bool v40 = (v0 && v39);
  X v41 = x_from_words(jobs[at + 37u], jobs[at + 38u], jobs[at + 39u]);  // value
  L v42 = l_from_words(jobs[at + 40u], jobs[at + 41u], jobs[at + 42u], jobs[at + 43u], jobs[at + 44u]);  // log2_of_base(absolute(gamma))
  X v43 = x_power_from_log(v42, v35);
  X v44 = x_mul(v41, v43);
  X v45 = x_negative(v44);
  X v46 = x_where(v40, v45, v44);
  return v46;
}
