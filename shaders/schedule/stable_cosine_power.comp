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
  X v15 = x_div(v14, v9);
  X v16 = x_half_cosine(v15);
  X v17 = x_mul(v13, v16);
  X v18 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // target
  X v19 = x_div(v10, v9);
  X v20 = x_half_cosine(v19);
  X v21 = x_mul(v18, v20);
  X v22 = x_add(v17, v21);
  X v23 = x_where(v12, v22, v18);
  X v24 = x_where(v11, v23, v13);
  X v25 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // schedule.schedule.low
  X v26 = x_sub(v2, v3);
  X v27 = x_maximum(v26, v5);
  X v28 = x_from_words(jobs[at + 21u], jobs[at + 22u], jobs[at + 23u]);  // schedule.by
  X v29 = x_sub(v27, v28);
  X v30 = x_sub(v29, v5);
  X v31 = x_from_words(jobs[at + 24u], jobs[at + 25u], jobs[at + 26u]);  // schedule.schedule.steps
  bool v32 = x_less(v30, v31);
  X v33 = x_maximum(v30, v5);
  X v34 = x_from_words(jobs[at + 27u], jobs[at + 28u], jobs[at + 29u]);  // where(greater(schedule.schedule.steps, 0), schedule.schedule.steps, 1)
  X v35 = x_where(v32, v33, v34);
  X v36 = x_div(v35, v34);
  L v37 = x_log2(v36);
  X v38 = x_from_words(jobs[at + 30u], jobs[at + 31u], jobs[at + 32u]);  // schedule.schedule.power
  X v39 = x_power_from_log(v37, v38);
  X v40 = x_mul(v25, v39);
  X v41 = x_from_words(jobs[at + 33u], jobs[at + 34u], jobs[at + 35u]);  // schedule.schedule.high
  X v42 = x_sub(v34, v35);
  X v43 = x_div(v42, v34);
  X v44 = x_from_words(jobs[at + 36u], jobs[at + 37u], jobs[at + 38u]);  // 0.5
  bool v45 = x_less(v43, v44);
  X v46 = x_from_words(jobs[at + 39u], jobs[at + 40u], jobs[at + 41u]);  // 1
  bool v47 = x_less(v43, v46);
  X v48 = x_where(v47, v43, v5);
  X v49 = x_negative(v48);
  X v50 = x_add(v46, v49);
  bool v51 = x_equal(v50, v46);
  X v52 = x_log(v50);
  X v53 = x_sub(v50, v46);
  X v54 = x_div(v49, v53);
  X v55 = x_mul(v52, v54);
  X v56 = x_where(v51, v49, v55);
  X v57 = x_mul(v38, v56);
  X v58 = x_from_words(jobs[at + 42u], jobs[at + 43u], jobs[at + 44u]);  // -64
  bool v59 = x_less(v57, v58);
  X v60 = x_from_words(jobs[at + 45u], jobs[at + 46u], jobs[at + 47u]);  // -1
  X v61 = x_exp(v57);
  bool v62 = x_equal(v61, v46);
  X v63 = x_sub(v61, v46);
  X v64 = x_log(v61);
  X v65 = x_div(v57, v64);
  X v66 = x_mul(v63, v65);
  X v67 = x_where(v62, v57, v66);
  X v68 = x_where(v59, v60, v67);
  X v69 = x_negative(v68);
  X v70 = x_from_words(jobs[at + 48u], jobs[at + 49u], jobs[at + 50u]);  // where(greater(schedule.schedule.power, 0), 1, 0)
  X v71 = x_where(v47, v69, v70);
  X v72 = x_from_words(jobs[at + 51u], jobs[at + 52u], jobs[at + 53u]);  // 1.0
  X v73 = x_sub(v72, v39);
  X v74 = x_where(v45, v71, v73);
  X v75 = x_mul(v41, v74);
  X v76 = x_add(v40, v75);
  X v77 = x_where(v4, v24, v76);
  return v77;
}
