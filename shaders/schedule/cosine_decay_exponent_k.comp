#version 450
#extension GL_GOOGLE_include_directive : require
// Half a cosine from ``high`` at step 0 to ``low``, the value from step ``steps`` on.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 42u;
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
  X v15 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // 0.5
  bool v16 = x_less(v14, v15);
  X v17 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // 1
  bool v18 = x_less(v14, v17);
  X v19 = x_from_words(jobs[at + 21u], jobs[at + 22u], jobs[at + 23u]);  // exponent
  X v20 = x_where(v18, v14, v4);
  X v21 = x_negative(v20);
  X v22 = x_add(v17, v21);
  bool v23 = x_equal(v22, v17);
  X v24 = x_log(v22);
  X v25 = x_sub(v22, v17);
  X v26 = x_div(v21, v25);
  X v27 = x_mul(v24, v26);
  X v28 = x_where(v23, v21, v27);
  X v29 = x_mul(v19, v28);
  X v30 = x_from_words(jobs[at + 24u], jobs[at + 25u], jobs[at + 26u]);  // -64
  bool v31 = x_less(v29, v30);
  X v32 = x_from_words(jobs[at + 27u], jobs[at + 28u], jobs[at + 29u]);  // -1
  X v33 = x_exp(v29);
  bool v34 = x_equal(v33, v17);
  X v35 = x_sub(v33, v17);
  X v36 = x_log(v33);
  X v37 = x_div(v29, v36);
  X v38 = x_mul(v35, v37);
  X v39 = x_where(v34, v29, v38);
  X v40 = x_where(v31, v32, v39);
  X v41 = x_negative(v40);
  X v42 = x_from_words(jobs[at + 30u], jobs[at + 31u], jobs[at + 32u]);  // where(greater(exponent, 0), 1, 0)
  X v43 = x_where(v18, v41, v42);
  X v44 = x_from_words(jobs[at + 33u], jobs[at + 34u], jobs[at + 35u]);  // 1.0
  X v45 = x_sub(v8, v9);
  X v46 = x_div(v45, v8);
  bool v47 = x_less(v46, v15);
  bool v48 = x_less(v46, v17);
  X v49 = x_where(v48, v46, v4);
  X v50 = x_negative(v49);
  X v51 = x_add(v17, v50);
  bool v52 = x_equal(v51, v17);
  X v53 = x_log(v51);
  X v54 = x_sub(v51, v17);
  X v55 = x_div(v50, v54);
  X v56 = x_mul(v53, v55);
  X v57 = x_where(v52, v50, v56);
  X v58 = x_mul(v12, v57);
  bool v59 = x_less(v58, v30);
  X v60 = x_exp(v58);
  bool v61 = x_equal(v60, v17);
  X v62 = x_sub(v60, v17);
  X v63 = x_log(v60);
  X v64 = x_div(v58, v63);
  X v65 = x_mul(v62, v64);
  X v66 = x_where(v61, v58, v65);
  X v67 = x_where(v59, v32, v66);
  X v68 = x_negative(v67);
  X v69 = x_from_words(jobs[at + 36u], jobs[at + 37u], jobs[at + 38u]);  // where(greater(k_decay, 0), 1, 0)
  X v70 = x_where(v48, v68, v69);
  X v71 = x_sub(v44, v13);
  X v72 = x_where(v47, v70, v71);
  X v73 = x_half_cosine(v72);
  L v74 = x_log2(v73);
  X v75 = x_power_from_log(v74, v19);
  X v76 = x_sub(v44, v75);
  X v77 = x_where(v16, v43, v76);
  X v78 = x_mul(v3, v77);
  X v79 = x_from_words(jobs[at + 39u], jobs[at + 40u], jobs[at + 41u]);  // high
  X v80 = x_mul(v79, v75);
  X v81 = x_add(v78, v80);
  X v82 = x_where(v2, v81, v3);
  return v82;
}
