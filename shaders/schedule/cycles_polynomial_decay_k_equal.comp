#version 450
#extension GL_GOOGLE_include_directive : require
// ``cycle`` again and again; ``restarts`` makes it.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 64u;
#include "fill.glsl"
#include "xfloat_transcendental.glsl"

X formula(X t, X k, uint at) {
  X v0 = t;
  X v1 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // cycle.steps
  X v2 = x_floor_divide(v0, v1);
  X v3 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // limit
  bool v4 = x_less(v2, v3);
  X v5 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // toward
  X v6 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // 1.0
  L v7 = l_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u], jobs[at + 15u], jobs[at + 16u]);  // log2_of_base(decay)
  X v8 = x_from_words(jobs[at + 17u], jobs[at + 18u], jobs[at + 19u]);  // subtract(limit, 1.0)
  X v9 = x_minimum(v2, v8);
  X v10 = x_from_words(jobs[at + 20u], jobs[at + 21u], jobs[at + 22u]);  // 0.0
  X v11 = x_maximum(v9, v10);
  X v12 = x_power_from_log(v7, v11);
  X v13 = x_sub(v6, v12);
  X v14 = x_mul(v5, v13);
  X v15 = x_from_words(jobs[at + 23u], jobs[at + 24u], jobs[at + 25u]);  // cycle.start
  X v16 = x_mul(v15, v12);
  X v17 = x_add(v14, v16);
  X v18 = x_from_words(jobs[at + 26u], jobs[at + 27u], jobs[at + 28u]);  // where(greater(cycle.steps, 0), cycle.steps, 1)
  X v19 = x_remainder(v0, v1);
  X v20 = x_from_words(jobs[at + 29u], jobs[at + 30u], jobs[at + 31u]);  // cycle.begin
  X v21 = x_sub(v19, v20);
  bool v22 = x_less(v21, v1);
  X v23 = x_from_words(jobs[at + 32u], jobs[at + 33u], jobs[at + 34u]);  // 0
  X v24 = x_maximum(v21, v23);
  X v25 = x_where(v22, v24, v18);
  X v26 = x_sub(v18, v25);
  X v27 = x_div(v26, v18);
  X v28 = x_from_words(jobs[at + 35u], jobs[at + 36u], jobs[at + 37u]);  // 1
  bool v29 = x_less(v27, v28);
  X v30 = x_from_words(jobs[at + 38u], jobs[at + 39u], jobs[at + 40u]);  // cycle.k_decay
  X v31 = x_where(v29, v27, v23);
  X v32 = x_negative(v31);
  X v33 = x_add(v28, v32);
  bool v34 = x_equal(v33, v28);
  X v35 = x_log(v33);
  X v36 = x_sub(v33, v28);
  X v37 = x_div(v32, v36);
  X v38 = x_mul(v35, v37);
  X v39 = x_where(v34, v32, v38);
  X v40 = x_mul(v30, v39);
  X v41 = x_from_words(jobs[at + 41u], jobs[at + 42u], jobs[at + 43u]);  // -64
  bool v42 = x_less(v40, v41);
  X v43 = x_from_words(jobs[at + 44u], jobs[at + 45u], jobs[at + 46u]);  // -1
  X v44 = x_exp(v40);
  bool v45 = x_equal(v44, v28);
  X v46 = x_sub(v44, v28);
  X v47 = x_log(v44);
  X v48 = x_div(v40, v47);
  X v49 = x_mul(v46, v48);
  X v50 = x_where(v45, v40, v49);
  X v51 = x_where(v42, v43, v50);
  X v52 = x_negative(v51);
  X v53 = x_from_words(jobs[at + 47u], jobs[at + 48u], jobs[at + 49u]);  // where(greater(cycle.k_decay, 0), 1, 0)
  X v54 = x_where(v29, v52, v53);
  L v55 = x_log2(v54);
  X v56 = x_from_words(jobs[at + 50u], jobs[at + 51u], jobs[at + 52u]);  // cycle.power
  X v57 = x_power_from_log(v55, v56);
  X v58 = x_mul(v17, v57);
  X v59 = x_from_words(jobs[at + 53u], jobs[at + 54u], jobs[at + 55u]);  // cycle.end
  L v60 = l_from_words(jobs[at + 56u], jobs[at + 57u], jobs[at + 58u], jobs[at + 59u], jobs[at + 60u]);  // log2_of_base(low_decay)
  X v61 = x_power_from_log(v60, v11);
  X v62 = x_mul(v59, v61);
  X v63 = x_div(v25, v18);
  L v64 = x_log2(v63);
  X v65 = x_power_from_log(v64, v30);
  bool v66 = x_less(v65, v28);
  X v67 = x_where(v66, v65, v23);
  X v68 = x_negative(v67);
  X v69 = x_add(v28, v68);
  bool v70 = x_equal(v69, v28);
  X v71 = x_log(v69);
  X v72 = x_sub(v69, v28);
  X v73 = x_div(v68, v72);
  X v74 = x_mul(v71, v73);
  X v75 = x_where(v70, v68, v74);
  X v76 = x_mul(v56, v75);
  bool v77 = x_less(v76, v41);
  X v78 = x_exp(v76);
  bool v79 = x_equal(v78, v28);
  X v80 = x_sub(v78, v28);
  X v81 = x_log(v78);
  X v82 = x_div(v76, v81);
  X v83 = x_mul(v80, v82);
  X v84 = x_where(v79, v76, v83);
  X v85 = x_where(v77, v43, v84);
  X v86 = x_negative(v85);
  X v87 = x_from_words(jobs[at + 61u], jobs[at + 62u], jobs[at + 63u]);  // where(greater(cycle.power, 0), 1, 0)
  X v88 = x_where(v66, v86, v87);
  X v89 = x_mul(v62, v88);
  X v90 = x_add(v58, v89);
  X v91 = x_where(v4, v90, v62);
  return v91;
}
