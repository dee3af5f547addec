#version 450
#extension GL_GOOGLE_include_directive : require
// Half a cosine from ``high`` at step 0 to ``low``, the value from step ``steps`` on.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 36u;
#include "fill.glsl"
#include "xfloat_transcendental.glsl"

X formula(X t, X k, uint at) {
  X v0 = t;
  X v1 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // steps
  bool v2 = x_less(v0, v1);
  X v3 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // low
  X v4 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // 0
  X v5 = x_sub(v0, v4);
  bool v6 = x_less(v5, v1);
  X v7 = x_maximum(v5, v4);
  X v8 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // where(greater(steps, 0), steps, 1)
  X v9 = x_where(v6, v7, v8);
  X v10 = x_div(v9, v8);
  L v11 = x_log2(v10);
  X v12 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // k_decay
  X v13 = x_power_from_log(v11, v12);
  X v14 = x_half_cosine(v13);
  X v15 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // 1
  bool v16 = x_less(v14, v15);
  X v17 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // exponent
  X v18 = x_where(v16, v14, v4);
  X v19 = x_negative(v18);
  X v20 = x_add(v15, v19);
  bool v21 = x_equal(v20, v15);
  X v22 = x_log(v20);
  X v23 = x_sub(v20, v15);
  X v24 = x_div(v19, v23);
  X v25 = x_mul(v22, v24);
  X v26 = x_where(v21, v19, v25);
  X v27 = x_mul(v17, v26);
  X v28 = x_from_words(jobs[at + 21u], jobs[at + 22u], jobs[at + 23u]);  // -64
  bool v29 = x_less(v27, v28);
  X v30 = x_from_words(jobs[at + 24u], jobs[at + 25u], jobs[at + 26u]);  // -1
  X v31 = x_exp(v27);
  bool v32 = x_equal(v31, v15);
  X v33 = x_sub(v31, v15);
  X v34 = x_log(v31);
  X v35 = x_div(v27, v34);
  X v36 = x_mul(v33, v35);
  X v37 = x_where(v32, v27, v36);
  X v38 = x_where(v29, v30, v37);
  X v39 = x_negative(v38);
  X v40 = x_from_words(jobs[at + 27u], jobs[at + 28u], jobs[at + 29u]);  // where(greater(exponent, 0), 1, 0)
  X v41 = x_where(v16, v39, v40);
  X v42 = x_mul(v3, v41);
  X v43 = x_from_words(jobs[at + 30u], jobs[at + 31u], jobs[at + 32u]);  // high
  X v44 = x_sub(v8, v9);
  X v45 = x_div(v44, v8);
  bool v46 = x_less(v45, v15);
  X v47 = x_where(v46, v45, v4);
  X v48 = x_negative(v47);
  X v49 = x_add(v15, v48);
  bool v50 = x_equal(v49, v15);
  X v51 = x_log(v49);
  X v52 = x_sub(v49, v15);
  X v53 = x_div(v48, v52);
  X v54 = x_mul(v51, v53);
  X v55 = x_where(v50, v48, v54);
  X v56 = x_mul(v12, v55);
  bool v57 = x_less(v56, v28);
  X v58 = x_exp(v56);
  bool v59 = x_equal(v58, v15);
  X v60 = x_sub(v58, v15);
  X v61 = x_log(v58);
  X v62 = x_div(v56, v61);
  X v63 = x_mul(v60, v62);
  X v64 = x_where(v59, v56, v63);
  X v65 = x_where(v57, v30, v64);
  X v66 = x_negative(v65);
  X v67 = x_from_words(jobs[at + 33u], jobs[at + 34u], jobs[at + 35u]);  // where(greater(k_decay, 0), 1, 0)
  X v68 = x_where(v46, v66, v67);
  X v69 = x_half_cosine(v68);
  L v70 = x_log2(v69);
  X v71 = x_power_from_log(v70, v17);
  X v72 = x_mul(v43, v71);
  X v73 = x_add(v42, v72);
  X v74 = x_where(v2, v73, v3);
  return v74;
}
