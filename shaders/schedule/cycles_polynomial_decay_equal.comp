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
  L v28 = x_log2(v27);
  X v29 = x_from_words(jobs[at + 35u], jobs[at + 36u], jobs[at + 37u]);  // cycle.power
  X v30 = x_power_from_log(v28, v29);
  X v31 = x_mul(v17, v30);
  X v32 = x_from_words(jobs[at + 38u], jobs[at + 39u], jobs[at + 40u]);  // cycle.end
  L v33 = l_from_words(jobs[at + 41u], jobs[at + 42u], jobs[at + 43u], jobs[at + 44u], jobs[at + 45u]);  // log2_of_base(low_decay)
  X v34 = x_power_from_log(v33, v11);
  X v35 = x_mul(v32, v34);
  X v36 = x_div(v25, v18);
  X v37 = x_from_words(jobs[at + 46u], jobs[at + 47u], jobs[at + 48u]);  // 1
  bool v38 = x_less(v36, v37);
  X v39 = x_where(v38, v36, v23);
  X v40 = x_negative(v39);
  X v41 = x_add(v37, v40);
  bool v42 = x_equal(v41, v37);
  X v43 = x_log(v41);
  X v44 = x_sub(v41, v37);
  X v45 = x_div(v40, v44);
  X v46 = x_mul(v43, v45);
  X v47 = x_where(v42, v40, v46);
  X v48 = x_mul(v29, v47);
  X v49 = x_from_words(jobs[at + 49u], jobs[at + 50u], jobs[at + 51u]);  // -64
  bool v50 = x_less(v48, v49);
  X v51 = x_from_words(jobs[at + 52u], jobs[at + 53u], jobs[at + 54u]);  // -1
  X v52 = x_exp(v48);
  bool v53 = x_equal(v52, v37);
  X v54 = x_sub(v52, v37);
  X v55 = x_log(v52);
  X v56 = x_div(v48, v55);
  X v57 = x_mul(v54, v56);
  X v58 = x_where(v53, v48, v57);
  X v59 = x_where(v50, v51, v58);
  X v60 = x_negative(v59);
  X v61 = x_from_words(jobs[at + 55u], jobs[at + 56u], jobs[at + 57u]);  // where(greater(cycle.power, 0), 1, 0)
  X v62 = x_where(v38, v60, v61);
  X v63 = x_mul(v35, v62);
  X v64 = x_add(v31, v63);
  X v65 = x_where(v4, v64, v35);
  return v65;
}
