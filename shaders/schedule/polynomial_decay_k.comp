#version 450
#extension GL_GOOGLE_include_directive : require
// From ``start`` to ``end`` along a power of the share of steps that is left; level outside.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 39u;
#include "fill.glsl"
#include "xfloat_transcendental.glsl"

X formula(X t, X k, uint at) {
  X v0 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // start
  X v1 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // where(greater(steps, 0), steps, 1)
  X v2 = t;
  X v3 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // begin
  X v4 = x_sub(v2, v3);
  X v5 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // steps
  bool v6 = x_less(v4, v5);
  X v7 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // 0
  X v8 = x_maximum(v4, v7);
  X v9 = x_where(v6, v8, v1);
  X v10 = x_sub(v1, v9);
  X v11 = x_div(v10, v1);
  X v12 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // 1
  bool v13 = x_less(v11, v12);
  X v14 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // k_decay
  X v15 = x_where(v13, v11, v7);
  X v16 = x_negative(v15);
  X v17 = x_add(v12, v16);
  bool v18 = x_equal(v17, v12);
  X v19 = x_log(v17);
  X v20 = x_sub(v17, v12);
  X v21 = x_div(v16, v20);
  X v22 = x_mul(v19, v21);
  X v23 = x_where(v18, v16, v22);
  X v24 = x_mul(v14, v23);
  X v25 = x_from_words(jobs[at + 21u], jobs[at + 22u], jobs[at + 23u]);  // -64
  bool v26 = x_less(v24, v25);
  X v27 = x_from_words(jobs[at + 24u], jobs[at + 25u], jobs[at + 26u]);  // -1
  X v28 = x_exp(v24);
  bool v29 = x_equal(v28, v12);
  X v30 = x_sub(v28, v12);
  X v31 = x_log(v28);
  X v32 = x_div(v24, v31);
  X v33 = x_mul(v30, v32);
  X v34 = x_where(v29, v24, v33);
  X v35 = x_where(v26, v27, v34);
  X v36 = x_negative(v35);
  X v37 = x_from_words(jobs[at + 27u], jobs[at + 28u], jobs[at + 29u]);  // where(greater(k_decay, 0), 1, 0)
  X v38 = x_where(v13, v36, v37);
  L v39 = x_log2(v38);
  X v40 = x_from_words(jobs[at + 30u], jobs[at + 31u], jobs[at + 32u]);  // power
  X v41 = x_power_from_log(v39, v40);
  X v42 = x_mul(v0, v41);
  X v43 = x_from_words(jobs[at + 33u], jobs[at + 34u], jobs[at + 35u]);  // end
  X v44 = x_div(v9, v1);
  L v45 = x_log2(v44);
  X v46 = x_power_from_log(v45, v14);
  bool v47 = x_less(v46, v12);
  X v48 = x_where(v47, v46, v7);
  X v49 = x_negative(v48);
  X v50 = x_add(v12, v49);
  bool v51 = x_equal(v50, v12);
  X v52 = x_log(v50);
  X v53 = x_sub(v50, v12);
  X v54 = x_div(v49, v53);
  X v55 = x_mul(v52, v54);
  X v56 = x_where(v51, v49, v55);
  X v57 = x_mul(v40, v56);
  bool v58 = x_less(v57, v25);
  X v59 = x_exp(v57);
  bool v60 = x_equal(v59, v12);
  X v61 = x_sub(v59, v12);
  X v62 = x_log(v59);
  X v63 = x_div(v57, v62);
  X v64 = x_mul(v61, v63);
  X v65 = x_where(v60, v57, v64);
  X v66 = x_where(v58, v27, v65);
  X v67 = x_negative(v66);
  X v68 = x_from_words(jobs[at + 36u], jobs[at + 37u], jobs[at + 38u]);  // where(greater(power, 0), 1, 0)
  X v69 = x_where(v47, v67, v68);
  X v70 = x_mul(v43, v69);
  X v71 = x_add(v42, v70);
  return v71;
}
