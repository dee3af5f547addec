#version 450
#extension GL_GOOGLE_include_directive : require
// From ``start`` to ``target`` in ``steps`` steps, then the schedule.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 48u;
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
  X v14 = x_sub(v9, v10);
  X v15 = x_mul(v13, v14);
  X v16 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // add#4f1f8aa45cd696ab9eebe4e8452173c4d31f31e0eff122088650d7bdc780634a
  X v17 = x_mul(v16, v10);
  X v18 = x_add(v15, v17);
  X v19 = x_div(v18, v9);
  X v20 = x_where(v12, v19, v16);
  X v21 = x_where(v11, v20, v13);
  X v22 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // schedule.start
  X v23 = x_from_words(jobs[at + 21u], jobs[at + 22u], jobs[at + 23u]);  // where(greater(schedule.steps, 0), schedule.steps, 1)
  X v24 = x_sub(v2, v3);
  X v25 = x_maximum(v24, v5);
  X v26 = x_from_words(jobs[at + 24u], jobs[at + 25u], jobs[at + 26u]);  // schedule.begin
  X v27 = x_sub(v25, v26);
  X v28 = x_from_words(jobs[at + 27u], jobs[at + 28u], jobs[at + 29u]);  // schedule.steps
  bool v29 = x_less(v27, v28);
  X v30 = x_maximum(v27, v5);
  X v31 = x_where(v29, v30, v23);
  X v32 = x_sub(v23, v31);
  X v33 = x_div(v32, v23);
  L v34 = x_log2(v33);
  X v35 = x_from_words(jobs[at + 30u], jobs[at + 31u], jobs[at + 32u]);  // schedule.power
  X v36 = x_power_from_log(v34, v35);
  X v37 = x_mul(v22, v36);
  X v38 = x_from_words(jobs[at + 33u], jobs[at + 34u], jobs[at + 35u]);  // schedule.end
  X v39 = x_div(v31, v23);
  X v40 = x_from_words(jobs[at + 36u], jobs[at + 37u], jobs[at + 38u]);  // 1
  bool v41 = x_less(v39, v40);
  X v42 = x_where(v41, v39, v5);
  X v43 = x_negative(v42);
  X v44 = x_add(v40, v43);
  bool v45 = x_equal(v44, v40);
  X v46 = x_log(v44);
  X v47 = x_sub(v44, v40);
  X v48 = x_div(v43, v47);
  X v49 = x_mul(v46, v48);
  X v50 = x_where(v45, v43, v49);
  X v51 = x_mul(v35, v50);
  X v52 = x_from_words(jobs[at + 39u], jobs[at + 40u], jobs[at + 41u]);  // -64
  bool v53 = x_less(v51, v52);
  X v54 = x_from_words(jobs[at + 42u], jobs[at + 43u], jobs[at + 44u]);  // -1
  X v55 = x_exp(v51);
  bool v56 = x_equal(v55, v40);
  X v57 = x_sub(v55, v40);
  X v58 = x_log(v55);
  X v59 = x_div(v51, v58);
  X v60 = x_mul(v57, v59);
  X v61 = x_where(v56, v51, v60);
  X v62 = x_where(v53, v54, v61);
  X v63 = x_negative(v62);
  X v64 = x_from_words(jobs[at + 45u], jobs[at + 46u], jobs[at + 47u]);  // where(greater(schedule.power, 0), 1, 0)
  X v65 = x_where(v41, v63, v64);
  X v66 = x_mul(v38, v65);
  X v67 = x_add(v37, v66);
  X v68 = x_where(v4, v21, v67);
  return v68;
}
