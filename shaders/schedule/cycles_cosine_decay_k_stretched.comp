#version 450
#extension GL_GOOGLE_include_directive : require
// ``cycle`` again and again; ``restarts`` makes it.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 436u;
#include "fill.glsl"
#include "lists.glsl"
#include "xfloat_transcendental.glsl"

X formula(X t, X k, uint at) {
  X v0 = t;
  List v1 = List(at + 0u, 128u);  // starts[]
  X v2 = x_reached(v0, v1);
  X v3 = x_from_words(jobs[at + 384u], jobs[at + 385u], jobs[at + 386u]);  // 1.0
  X v4 = x_sub(v2, v3);
  X v5 = x_from_words(jobs[at + 387u], jobs[at + 388u], jobs[at + 389u]);  // limit
  bool v6 = x_less(v4, v5);
  X v7 = x_pick(v4, v1);
  X v8 = x_sub(v0, v7);
  X v9 = x_add(v4, v3);
  X v10 = x_pick(v9, v1);
  X v11 = x_sub(v10, v7);
  bool v12 = x_less(v8, v11);
  X v13 = x_from_words(jobs[at + 390u], jobs[at + 391u], jobs[at + 392u]);  // cycle.low
  L v14 = l_from_words(jobs[at + 393u], jobs[at + 394u], jobs[at + 395u], jobs[at + 396u], jobs[at + 397u]);  // log2_of_base(low_decay)
  X v15 = x_from_words(jobs[at + 398u], jobs[at + 399u], jobs[at + 400u]);  // subtract(limit, 1.0)
  X v16 = x_minimum(v4, v15);
  X v17 = x_from_words(jobs[at + 401u], jobs[at + 402u], jobs[at + 403u]);  // 0.0
  X v18 = x_maximum(v16, v17);
  X v19 = x_power_from_log(v14, v18);
  X v20 = x_mul(v13, v19);
  X v21 = x_from_words(jobs[at + 404u], jobs[at + 405u], jobs[at + 406u]);  // 0
  X v22 = x_sub(v8, v21);
  bool v23 = x_less(v22, v11);
  X v24 = x_maximum(v22, v21);
  bool v25 = x_greater(v11, v21);
  X v26 = x_from_words(jobs[at + 407u], jobs[at + 408u], jobs[at + 409u]);  // 1
  X v27 = x_where(v25, v11, v26);
  X v28 = x_where(v23, v24, v27);
  X v29 = x_div(v28, v27);
  L v30 = x_log2(v29);
  X v31 = x_from_words(jobs[at + 410u], jobs[at + 411u], jobs[at + 412u]);  // cycle.k_decay
  X v32 = x_power_from_log(v30, v31);
  X v33 = x_half_cosine(v32);
  X v34 = x_mul(v20, v33);
  X v35 = x_from_words(jobs[at + 413u], jobs[at + 414u], jobs[at + 415u]);  // toward
  L v36 = l_from_words(jobs[at + 416u], jobs[at + 417u], jobs[at + 418u], jobs[at + 419u], jobs[at + 420u]);  // log2_of_base(decay)
  X v37 = x_power_from_log(v36, v18);
  X v38 = x_sub(v3, v37);
  X v39 = x_mul(v35, v38);
  X v40 = x_from_words(jobs[at + 421u], jobs[at + 422u], jobs[at + 423u]);  // cycle.high
  X v41 = x_mul(v40, v37);
  X v42 = x_add(v39, v41);
  X v43 = x_sub(v27, v28);
  X v44 = x_div(v43, v27);
  X v45 = x_from_words(jobs[at + 424u], jobs[at + 425u], jobs[at + 426u]);  // 0.5
  bool v46 = x_less(v44, v45);
  bool v47 = x_less(v44, v26);
  X v48 = x_where(v47, v44, v21);
  X v49 = x_negative(v48);
  X v50 = x_add(v26, v49);
  bool v51 = x_equal(v50, v26);
  X v52 = x_log(v50);
  X v53 = x_sub(v50, v26);
  X v54 = x_div(v49, v53);
  X v55 = x_mul(v52, v54);
  X v56 = x_where(v51, v49, v55);
  X v57 = x_mul(v31, v56);
  X v58 = x_from_words(jobs[at + 427u], jobs[at + 428u], jobs[at + 429u]);  // -64
  bool v59 = x_less(v57, v58);
  X v60 = x_from_words(jobs[at + 430u], jobs[at + 431u], jobs[at + 432u]);  // -1
  X v61 = x_exp(v57);
  bool v62 = x_equal(v61, v26);
  X v63 = x_sub(v61, v26);
  X v64 = x_log(v61);
  X v65 = x_div(v57, v64);
  X v66 = x_mul(v63, v65);
  X v67 = x_where(v62, v57, v66);
  X v68 = x_where(v59, v60, v67);
  X v69 = x_negative(v68);
  X v70 = x_from_words(jobs[at + 433u], jobs[at + 434u], jobs[at + 435u]);  // where(greater(cycle.k_decay, 0), 1, 0)
  X v71 = x_where(v47, v69, v70);
  X v72 = x_sub(v3, v32);
  X v73 = x_where(v46, v71, v72);
  X v74 = x_half_cosine(v73);
  X v75 = x_mul(v42, v74);
  X v76 = x_add(v34, v75);
  X v77 = x_where(v12, v76, v20);
  X v78 = x_where(v6, v77, v20);
  return v78;
}
