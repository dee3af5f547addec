#version 450
#extension GL_GOOGLE_include_directive : require
// From ``start`` to ``target`` in ``steps`` steps, then the schedule.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 54u;
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
  X v22 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // schedule.schedule.low
  X v23 = x_sub(v2, v3);
  X v24 = x_maximum(v23, v5);
  X v25 = x_from_words(jobs[at + 21u], jobs[at + 22u], jobs[at + 23u]);  // schedule.by
  X v26 = x_sub(v24, v25);
  X v27 = x_sub(v26, v5);
  X v28 = x_from_words(jobs[at + 24u], jobs[at + 25u], jobs[at + 26u]);  // schedule.schedule.steps
  bool v29 = x_less(v27, v28);
  X v30 = x_maximum(v27, v5);
  X v31 = x_from_words(jobs[at + 27u], jobs[at + 28u], jobs[at + 29u]);  // where(greater(schedule.schedule.steps, 0), schedule.schedule.steps, 1)
  X v32 = x_where(v29, v30, v31);
  X v33 = x_div(v32, v31);
  X v34 = x_from_words(jobs[at + 30u], jobs[at + 31u], jobs[at + 32u]);  // log(schedule.schedule.ratio)
  X v35 = x_mul(v33, v34);
  X v36 = x_from_words(jobs[at + 33u], jobs[at + 34u], jobs[at + 35u]);  // -64
  bool v37 = x_less(v35, v36);
  X v38 = x_from_words(jobs[at + 36u], jobs[at + 37u], jobs[at + 38u]);  // -1
  X v39 = x_exp(v35);
  X v40 = x_from_words(jobs[at + 39u], jobs[at + 40u], jobs[at + 41u]);  // 1
  bool v41 = x_equal(v39, v40);
  X v42 = x_sub(v39, v40);
  X v43 = x_log(v39);
  X v44 = x_div(v35, v43);
  X v45 = x_mul(v42, v44);
  X v46 = x_where(v41, v35, v45);
  X v47 = x_where(v37, v38, v46);
  X v48 = x_negative(v47);
  X v49 = x_from_words(jobs[at + 42u], jobs[at + 43u], jobs[at + 44u]);  // subtract(1.0, schedule.schedule.ratio)
  X v50 = x_div(v48, v49);
  X v51 = x_mul(v22, v50);
  X v52 = x_from_words(jobs[at + 45u], jobs[at + 46u], jobs[at + 47u]);  // schedule.schedule.high
  X v53 = x_from_words(jobs[at + 48u], jobs[at + 49u], jobs[at + 50u]);  // schedule.schedule.ratio
  X v54 = x_sub(v31, v32);
  X v55 = x_div(v54, v31);
  X v56 = x_from_words(jobs[at + 51u], jobs[at + 52u], jobs[at + 53u]);  // negative(log(schedule.schedule.ratio))
  X v57 = x_mul(v55, v56);
  bool v58 = x_less(v57, v36);
  X v59 = x_exp(v57);
  bool v60 = x_equal(v59, v40);
  X v61 = x_sub(v59, v40);
  X v62 = x_log(v59);
  X v63 = x_div(v57, v62);
  X v64 = x_mul(v61, v63);
  X v65 = x_where(v60, v57, v64);
  X v66 = x_where(v58, v38, v65);
  X v67 = x_mul(v53, v66);
  X v68 = x_div(v67, v49);
  X v69 = x_mul(v52, v68);
  X v70 = x_add(v51, v69);
  X v71 = x_where(v4, v21, v70);
  return v71;
}
