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
  X v15 = x_mul(v9, v14);
  X v16 = x_sqrt(v15);
  X v17 = x_mul(v13, v16);
  X v18 = x_div(v17, v9);
  X v19 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // target
  X v20 = x_add(v9, v16);
  X v21 = x_div(v10, v20);
  X v22 = x_mul(v19, v21);
  X v23 = x_add(v18, v22);
  X v24 = x_where(v12, v23, v19);
  X v25 = x_where(v11, v24, v13);
  X v26 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // schedule.schedule.low
  X v27 = x_sub(v2, v3);
  X v28 = x_maximum(v27, v5);
  X v29 = x_from_words(jobs[at + 21u], jobs[at + 22u], jobs[at + 23u]);  // schedule.by
  X v30 = x_sub(v28, v29);
  X v31 = x_sub(v30, v5);
  X v32 = x_from_words(jobs[at + 24u], jobs[at + 25u], jobs[at + 26u]);  // schedule.schedule.steps
  bool v33 = x_less(v31, v32);
  X v34 = x_maximum(v31, v5);
  X v35 = x_from_words(jobs[at + 27u], jobs[at + 28u], jobs[at + 29u]);  // where(greater(schedule.schedule.steps, 0), schedule.schedule.steps, 1)
  X v36 = x_where(v33, v34, v35);
  X v37 = x_div(v36, v35);
  X v38 = x_from_words(jobs[at + 30u], jobs[at + 31u], jobs[at + 32u]);  // log(schedule.schedule.ratio)
  X v39 = x_mul(v37, v38);
  X v40 = x_from_words(jobs[at + 33u], jobs[at + 34u], jobs[at + 35u]);  // -64
  bool v41 = x_less(v39, v40);
  X v42 = x_from_words(jobs[at + 36u], jobs[at + 37u], jobs[at + 38u]);  // -1
  X v43 = x_exp(v39);
  X v44 = x_from_words(jobs[at + 39u], jobs[at + 40u], jobs[at + 41u]);  // 1
  bool v45 = x_equal(v43, v44);
  X v46 = x_sub(v43, v44);
  X v47 = x_log(v43);
  X v48 = x_div(v39, v47);
  X v49 = x_mul(v46, v48);
  X v50 = x_where(v45, v39, v49);
  X v51 = x_where(v41, v42, v50);
  X v52 = x_negative(v51);
  X v53 = x_from_words(jobs[at + 42u], jobs[at + 43u], jobs[at + 44u]);  // subtract(1.0, schedule.schedule.ratio)
  X v54 = x_div(v52, v53);
  X v55 = x_mul(v26, v54);
  X v56 = x_from_words(jobs[at + 45u], jobs[at + 46u], jobs[at + 47u]);  // schedule.schedule.high
  X v57 = x_from_words(jobs[at + 48u], jobs[at + 49u], jobs[at + 50u]);  // schedule.schedule.ratio
  X v58 = x_sub(v35, v36);
  X v59 = x_div(v58, v35);
  X v60 = x_from_words(jobs[at + 51u], jobs[at + 52u], jobs[at + 53u]);  // negative(log(schedule.schedule.ratio))
  X v61 = x_mul(v59, v60);
  bool v62 = x_less(v61, v40);
  X v63 = x_exp(v61);
  bool v64 = x_equal(v63, v44);
  X v65 = x_sub(v63, v44);
  X v66 = x_log(v63);
  X v67 = x_div(v61, v66);
  X v68 = x_mul(v65, v67);
  X v69 = x_where(v64, v61, v68);
  X v70 = x_where(v62, v42, v69);
  X v71 = x_mul(v57, v70);
  X v72 = x_div(v71, v53);
  X v73 = x_mul(v56, v72);
  X v74 = x_add(v55, v73);
  X v75 = x_where(v4, v25, v74);
  return v75;
}
