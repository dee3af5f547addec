#version 450
#extension GL_GOOGLE_include_directive : require
// From ``start`` to ``end`` along a power of the share of steps that is left; level outside.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 36u;
#include "fill.glsl"
#include "xfloat_transcendental.glsl"

X formula(X t, X k, uint at) {
  X v0 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // start
  X v1 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // steps
  X v2 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // begin
  X v3 = t;
  X v4 = x_sub(v2, v3);
  X v5 = x_floor_divide(v4, v1);
  X v6 = x_negative(v5);
  X v7 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // 1
  X v8 = x_maximum(v6, v7);
  X v9 = x_mul(v1, v8);
  X v10 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // 0
  bool v11 = x_greater(v9, v10);
  X v12 = x_where(v11, v9, v7);
  X v13 = x_sub(v3, v2);
  bool v14 = x_less(v13, v9);
  X v15 = x_maximum(v13, v10);
  X v16 = x_where(v14, v15, v12);
  X v17 = x_sub(v12, v16);
  X v18 = x_div(v17, v12);
  bool v19 = x_less(v18, v7);
  X v20 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // k_decay
  X v21 = x_where(v19, v18, v10);
  X v22 = x_negative(v21);
  X v23 = x_add(v7, v22);
  bool v24 = x_equal(v23, v7);
  X v25 = x_log(v23);
  X v26 = x_sub(v23, v7);
  X v27 = x_div(v22, v26);
  X v28 = x_mul(v25, v27);
  X v29 = x_where(v24, v22, v28);
  X v30 = x_mul(v20, v29);
  X v31 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // -64
  bool v32 = x_less(v30, v31);
  X v33 = x_from_words(jobs[at + 21u], jobs[at + 22u], jobs[at + 23u]);  // -1
  X v34 = x_exp(v30);
  bool v35 = x_equal(v34, v7);
  X v36 = x_sub(v34, v7);
  X v37 = x_log(v34);
  X v38 = x_div(v30, v37);
  X v39 = x_mul(v36, v38);
  X v40 = x_where(v35, v30, v39);
  X v41 = x_where(v32, v33, v40);
  X v42 = x_negative(v41);
  X v43 = x_from_words(jobs[at + 24u], jobs[at + 25u], jobs[at + 26u]);  // where(greater(k_decay, 0), 1, 0)
  X v44 = x_where(v19, v42, v43);
  L v45 = x_log2(v44);
  X v46 = x_from_words(jobs[at + 27u], jobs[at + 28u], jobs[at + 29u]);  // power
  X v47 = x_power_from_log(v45, v46);
  X v48 = x_mul(v0, v47);
  X v49 = x_from_words(jobs[at + 30u], jobs[at + 31u], jobs[at + 32u]);  // end
  X v50 = x_div(v16, v12);
  L v51 = x_log2(v50);
  X v52 = x_power_from_log(v51, v20);
  bool v53 = x_less(v52, v7);
  X v54 = x_where(v53, v52, v10);
  X v55 = x_negative(v54);
  X v56 = x_add(v7, v55);
  bool v57 = x_equal(v56, v7);
  X v58 = x_log(v56);
  X v59 = x_sub(v56, v7);
  X v60 = x_div(v55, v59);
  X v61 = x_mul(v58, v60);
  X v62 = x_where(v57, v55, v61);
  X v63 = x_mul(v46, v62);
  bool v64 = x_less(v63, v31);
  X v65 = x_exp(v63);
  bool v66 = x_equal(v65, v7);
  X v67 = x_sub(v65, v7);
  X v68 = x_log(v65);
  X v69 = x_div(v63, v68);
  X v70 = x_mul(v67, v69);
  X v71 = x_where(v66, v63, v70);
  X v72 = x_where(v64, v33, v71);
  X v73 = x_negative(v72);
  X v74 = x_from_words(jobs[at + 33u], jobs[at + 34u], jobs[at + 35u]);  // where(greater(power, 0), 1, 0)
  X v75 = x_where(v53, v73, v74);
  X v76 = x_mul(v49, v75);
  X v77 = x_add(v48, v76);
  return v77;
}
