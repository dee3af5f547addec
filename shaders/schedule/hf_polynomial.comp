#version 450
#extension GL_GOOGLE_include_directive : require
// The product of schedules.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 51u;
#include "fill.glsl"
#include "xfloat_transcendental.glsl"

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
  X v23 = x_from_words(jobs[at + 21u], jobs[at + 22u], jobs[at + 23u]);  // members[1].schedule.start
  X v24 = x_from_words(jobs[at + 24u], jobs[at + 25u], jobs[at + 26u]);  // where(greater(members[1].schedule.steps, 0), members[1].schedule.steps, 1)
  X v25 = x_sub(v3, v4);
  X v26 = x_maximum(v25, v6);
  X v27 = x_from_words(jobs[at + 27u], jobs[at + 28u], jobs[at + 29u]);  // members[1].schedule.begin
  X v28 = x_sub(v26, v27);
  X v29 = x_from_words(jobs[at + 30u], jobs[at + 31u], jobs[at + 32u]);  // members[1].schedule.steps
  bool v30 = x_less(v28, v29);
  X v31 = x_maximum(v28, v6);
  X v32 = x_where(v30, v31, v24);
  X v33 = x_sub(v24, v32);
  X v34 = x_div(v33, v24);
  L v35 = x_log2(v34);
  X v36 = x_from_words(jobs[at + 33u], jobs[at + 34u], jobs[at + 35u]);  // members[1].schedule.power
  X v37 = x_power_from_log(v35, v36);
  X v38 = x_mul(v23, v37);
  X v39 = x_from_words(jobs[at + 36u], jobs[at + 37u], jobs[at + 38u]);  // members[1].schedule.end
  X v40 = x_div(v32, v24);
  X v41 = x_from_words(jobs[at + 39u], jobs[at + 40u], jobs[at + 41u]);  // 1
  bool v42 = x_less(v40, v41);
  X v43 = x_where(v42, v40, v6);
  X v44 = x_negative(v43);
  X v45 = x_add(v41, v44);
  bool v46 = x_equal(v45, v41);
  X v47 = x_log(v45);
  X v48 = x_sub(v45, v41);
  X v49 = x_div(v44, v48);
  X v50 = x_mul(v47, v49);
  X v51 = x_where(v46, v44, v50);
  X v52 = x_mul(v36, v51);
  X v53 = x_from_words(jobs[at + 42u], jobs[at + 43u], jobs[at + 44u]);  // -64
  bool v54 = x_less(v52, v53);
  X v55 = x_from_words(jobs[at + 45u], jobs[at + 46u], jobs[at + 47u]);  // -1
  X v56 = x_exp(v52);
  bool v57 = x_equal(v56, v41);
  X v58 = x_sub(v56, v41);
  X v59 = x_log(v56);
  X v60 = x_div(v52, v59);
  X v61 = x_mul(v58, v60);
  X v62 = x_where(v57, v52, v61);
  X v63 = x_where(v54, v55, v62);
  X v64 = x_negative(v63);
  X v65 = x_from_words(jobs[at + 48u], jobs[at + 49u], jobs[at + 50u]);  // where(greater(members[1].schedule.power, 0), 1, 0)
  X v66 = x_where(v42, v64, v65);
  X v67 = x_mul(v39, v66);
  X v68 = x_add(v38, v67);
  X v69 = x_where(v5, v22, v68);
  X v70 = x_mul(v0, v69);
  return v70;
}
