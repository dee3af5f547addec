#version 450
#extension GL_GOOGLE_include_directive : require
// ``cycle`` again and again; ``restarts`` makes it.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 58u;
#include "fill.glsl"
#include "xfloat_transcendental.glsl"

X formula(X t, X k, uint at) {
  X v0 = t;
  X v1 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // cycle.steps
  X v2 = x_floor_divide(v0, v1);
  X v3 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // limit
  bool v4 = x_less(v2, v3);
  X v5 = x_remainder(v0, v1);
  bool v6 = x_less(v5, v1);
  X v7 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // cycle.low
  L v8 = l_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u], jobs[at + 12u], jobs[at + 13u]);  // log2_of_base(low_decay)
  X v9 = x_from_words(jobs[at + 14u], jobs[at + 15u], jobs[at + 16u]);  // subtract(limit, 1.0)
  X v10 = x_minimum(v2, v9);
  X v11 = x_from_words(jobs[at + 17u], jobs[at + 18u], jobs[at + 19u]);  // 0.0
  X v12 = x_maximum(v10, v11);
  X v13 = x_power_from_log(v8, v12);
  X v14 = x_mul(v7, v13);
  X v15 = x_from_words(jobs[at + 20u], jobs[at + 21u], jobs[at + 22u]);  // 0
  X v16 = x_sub(v5, v15);
  bool v17 = x_less(v16, v1);
  X v18 = x_maximum(v16, v15);
  X v19 = x_from_words(jobs[at + 23u], jobs[at + 24u], jobs[at + 25u]);  // where(greater(cycle.steps, 0), cycle.steps, 1)
  X v20 = x_where(v17, v18, v19);
  X v21 = x_div(v20, v19);
  L v22 = x_log2(v21);
  X v23 = x_from_words(jobs[at + 26u], jobs[at + 27u], jobs[at + 28u]);  // cycle.k_decay
  X v24 = x_power_from_log(v22, v23);
  X v25 = x_half_cosine(v24);
  X v26 = x_mul(v14, v25);
  X v27 = x_from_words(jobs[at + 29u], jobs[at + 30u], jobs[at + 31u]);  // toward
  X v28 = x_from_words(jobs[at + 32u], jobs[at + 33u], jobs[at + 34u]);  // 1.0
  L v29 = l_from_words(jobs[at + 35u], jobs[at + 36u], jobs[at + 37u], jobs[at + 38u], jobs[at + 39u]);  // log2_of_base(decay)
  X v30 = x_power_from_log(v29, v12);
  X v31 = x_sub(v28, v30);
  X v32 = x_mul(v27, v31);
  X v33 = x_from_words(jobs[at + 40u], jobs[at + 41u], jobs[at + 42u]);  // cycle.high
  X v34 = x_mul(v33, v30);
  X v35 = x_add(v32, v34);
  X v36 = x_sub(v19, v20);
  X v37 = x_div(v36, v19);
  X v38 = x_from_words(jobs[at + 43u], jobs[at + 44u], jobs[at + 45u]);  // 0.5
  bool v39 = x_less(v37, v38);
  X v40 = x_from_words(jobs[at + 46u], jobs[at + 47u], jobs[at + 48u]);  // 1
  bool v41 = x_less(v37, v40);
  X v42 = x_where(v41, v37, v15);
  X v43 = x_negative(v42);
  X v44 = x_add(v40, v43);
  bool v45 = x_equal(v44, v40);
  X v46 = x_log(v44);
  X v47 = x_sub(v44, v40);
  X v48 = x_div(v43, v47);
  X v49 = x_mul(v46, v48);
  X v50 = x_where(v45, v43, v49);
  X v51 = x_mul(v23, v50);
  X v52 = x_from_words(jobs[at + 49u], jobs[at + 50u], jobs[at + 51u]);  // -64
  bool v53 = x_less(v51, v52);
  X v54 = x_from_words(jobs[at + 52u], jobs[at + 53u], jobs[at + 54u]);  // -1
  X v55 = x_exp(v51);
  bool v56 = x_equal(v55, v40);
  X v57 = x_sub(v55, v40);
  X v58 = x_log(v55);
  X v59 = x_div(v51, v58);
  X v60 = x_mul(v57, v59);
  X v61 = x_where(v56, v51, v60);
  X v62 = x_where(v53, v54, v61);
  X v63 = x_negative(v62);
  X v64 = x_from_words(jobs[at + 55u], jobs[at + 56u], jobs[at + 57u]);  // where(greater(cycle.k_decay, 0), 1, 0)
  X v65 = x_where(v41, v63, v64);
  X v66 = x_sub(v28, v24);
  X v67 = x_where(v39, v65, v66);
  X v68 = x_half_cosine(v67);
  X v69 = x_mul(v35, v68);
  X v70 = x_add(v26, v69);
  X v71 = x_where(v6, v70, v14);
  X v72 = x_where(v4, v71, v14);
  return v72;
}
