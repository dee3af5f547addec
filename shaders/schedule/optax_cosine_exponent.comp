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
  X v36 = x_from_words(jobs[at + 30u], jobs[at + 31u], jobs[at + 32u]);  // 0.5
  bool v37 = x_less(v35, v36);
  X v38 = x_from_words(jobs[at + 33u], jobs[at + 34u], jobs[at + 35u]);  // 1
  bool v39 = x_less(v35, v38);
  X v40 = x_from_words(jobs[at + 36u], jobs[at + 37u], jobs[at + 38u]);  // schedule.exponent
  X v41 = x_where(v39, v35, v5);
  X v42 = x_negative(v41);
  X v43 = x_add(v38, v42);
  bool v44 = x_equal(v43, v38);
  X v45 = x_log(v43);
  X v46 = x_sub(v43, v38);
  X v47 = x_div(v42, v46);
  X v48 = x_mul(v45, v47);
  X v49 = x_where(v44, v42, v48);
  X v50 = x_mul(v40, v49);
  X v51 = x_from_words(jobs[at + 39u], jobs[at + 40u], jobs[at + 41u]);  // -64
  bool v52 = x_less(v50, v51);
  X v53 = x_from_words(jobs[at + 42u], jobs[at + 43u], jobs[at + 44u]);  // -1
  X v54 = x_exp(v50);
  bool v55 = x_equal(v54, v38);
  X v56 = x_sub(v54, v38);
  X v57 = x_log(v54);
  X v58 = x_div(v50, v57);
  X v59 = x_mul(v56, v58);
  X v60 = x_where(v55, v50, v59);
  X v61 = x_where(v52, v53, v60);
  X v62 = x_negative(v61);
  X v63 = x_from_words(jobs[at + 45u], jobs[at + 46u], jobs[at + 47u]);  // where(greater(schedule.exponent, 0), 1, 0)
  X v64 = x_where(v39, v62, v63);
  X v65 = x_from_words(jobs[at + 48u], jobs[at + 49u], jobs[at + 50u]);  // 1.0
  X v66 = x_sub(v31, v33);
  X v67 = x_div(v66, v31);
  X v68 = x_half_cosine(v67);
  L v69 = x_log2(v68);
  X v70 = x_power_from_log(v69, v40);
  X v71 = x_sub(v65, v70);
  X v72 = x_where(v37, v64, v71);
  X v73 = x_mul(v26, v72);
  X v74 = x_from_words(jobs[at + 51u], jobs[at + 52u], jobs[at + 53u]);  // schedule.high
  X v75 = x_mul(v74, v70);
  X v76 = x_add(v73, v75);
  X v77 = x_where(v25, v76, v26);
  X v78 = x_where(v4, v21, v77);
  return v78;
}
