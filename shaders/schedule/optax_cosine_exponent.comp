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
  X v16 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // target
  X v17 = x_mul(v16, v10);
  X v18 = x_add(v15, v17);
  X v19 = x_div(v18, v9);
  X v20 = x_where(v12, v19, v16);
  X v21 = x_where(v11, v20, v13);
  X v22 = x_sub(v2, v3);
  X v23 = x_maximum(v22, v5);
  X v24 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // schedule.steps
  bool v25 = x_less(v23, v24);
  X v26 = x_from_words(jobs[at + 21u], jobs[at + 22u], jobs[at + 23u]);  // schedule.low
  X v27 = x_from_words(jobs[at + 24u], jobs[at + 25u], jobs[at + 26u]);  // multiply(2.0, schedule.cycles)
  X v28 = x_sub(v23, v5);
  bool v29 = x_less(v28, v24);
  X v30 = x_maximum(v28, v5);
  X v31 = x_from_words(jobs[at + 27u], jobs[at + 28u], jobs[at + 29u]);  // where(greater(schedule.steps, 0), schedule.steps, 1)
  X v32 = x_where(v29, v30, v31);
  X v33 = x_mul(v27, v32);
  X v34 = x_div(v33, v31);
  X v35 = x_half_cosine(v34);
  X v36 = x_from_words(jobs[at + 30u], jobs[at + 31u], jobs[at + 32u]);  // 1
  bool v37 = x_less(v35, v36);
  X v38 = x_from_words(jobs[at + 33u], jobs[at + 34u], jobs[at + 35u]);  // schedule.exponent
  X v39 = x_where(v37, v35, v5);
  X v40 = x_negative(v39);
  X v41 = x_add(v36, v40);
  bool v42 = x_equal(v41, v36);
  X v43 = x_log(v41);
  X v44 = x_sub(v41, v36);
  X v45 = x_div(v40, v44);
  X v46 = x_mul(v43, v45);
  X v47 = x_where(v42, v40, v46);
  X v48 = x_mul(v38, v47);
  X v49 = x_from_words(jobs[at + 36u], jobs[at + 37u], jobs[at + 38u]);  // -64
  bool v50 = x_less(v48, v49);
  X v51 = x_from_words(jobs[at + 39u], jobs[at + 40u], jobs[at + 41u]);  // -1
  X v52 = x_exp(v48);
  bool v53 = x_equal(v52, v36);
  X v54 = x_sub(v52, v36);
  X v55 = x_log(v52);
  X v56 = x_div(v48, v55);
  X v57 = x_mul(v54, v56);
  X v58 = x_where(v53, v48, v57);
  X v59 = x_where(v50, v51, v58);
  X v60 = x_negative(v59);
  X v61 = x_from_words(jobs[at + 42u], jobs[at + 43u], jobs[at + 44u]);  // where(greater(schedule.exponent, 0), 1, 0)
  X v62 = x_where(v37, v60, v61);
  X v63 = x_mul(v26, v62);
  X v64 = x_from_words(jobs[at + 45u], jobs[at + 46u], jobs[at + 47u]);  // schedule.high
  X v65 = x_sub(v31, v33);
  X v66 = x_div(v65, v31);
  X v67 = x_half_cosine(v66);
  L v68 = x_log2(v67);
  X v69 = x_power_from_log(v68, v38);
  X v70 = x_mul(v64, v69);
  X v71 = x_add(v63, v70);
  X v72 = x_where(v25, v71, v26);
  X v73 = x_where(v4, v21, v72);
  return v73;
}
