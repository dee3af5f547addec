#version 450
#extension GL_GOOGLE_include_directive : require
// ``cycle`` again and again; ``restarts`` makes it.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 442u;
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
  X v7 = x_from_words(jobs[at + 390u], jobs[at + 391u], jobs[at + 392u]);  // toward
  L v8 = l_from_words(jobs[at + 393u], jobs[at + 394u], jobs[at + 395u], jobs[at + 396u], jobs[at + 397u]);  // log2_of_base(decay)
  X v9 = x_from_words(jobs[at + 398u], jobs[at + 399u], jobs[at + 400u]);  // subtract(limit, 1.0)
  X v10 = x_minimum(v4, v9);
  X v11 = x_from_words(jobs[at + 401u], jobs[at + 402u], jobs[at + 403u]);  // 0.0
  X v12 = x_maximum(v10, v11);
  X v13 = x_power_from_log(v8, v12);
  X v14 = x_sub(v3, v13);
  X v15 = x_mul(v7, v14);
  X v16 = x_from_words(jobs[at + 404u], jobs[at + 405u], jobs[at + 406u]);  // cycle.start
  X v17 = x_mul(v16, v13);
  X v18 = x_add(v15, v17);
  X v19 = x_add(v4, v3);
  X v20 = x_pick(v19, v1);
  X v21 = x_pick(v4, v1);
  X v22 = x_sub(v20, v21);
  X v23 = x_from_words(jobs[at + 407u], jobs[at + 408u], jobs[at + 409u]);  // 0
  bool v24 = x_greater(v22, v23);
  X v25 = x_from_words(jobs[at + 410u], jobs[at + 411u], jobs[at + 412u]);  // 1
  X v26 = x_where(v24, v22, v25);
  X v27 = x_sub(v0, v21);
  X v28 = x_from_words(jobs[at + 413u], jobs[at + 414u], jobs[at + 415u]);  // cycle.begin
  X v29 = x_sub(v27, v28);
  bool v30 = x_less(v29, v22);
  X v31 = x_maximum(v29, v23);
  X v32 = x_where(v30, v31, v26);
  X v33 = x_sub(v26, v32);
  X v34 = x_div(v33, v26);
  bool v35 = x_less(v34, v25);
  X v36 = x_from_words(jobs[at + 416u], jobs[at + 417u], jobs[at + 418u]);  // cycle.k_decay
  X v37 = x_where(v35, v34, v23);
  X v38 = x_negative(v37);
  X v39 = x_add(v25, v38);
  bool v40 = x_equal(v39, v25);
  X v41 = x_log(v39);
  X v42 = x_sub(v39, v25);
  X v43 = x_div(v38, v42);
  X v44 = x_mul(v41, v43);
  X v45 = x_where(v40, v38, v44);
  X v46 = x_mul(v36, v45);
  X v47 = x_from_words(jobs[at + 419u], jobs[at + 420u], jobs[at + 421u]);  // -64
  bool v48 = x_less(v46, v47);
  X v49 = x_from_words(jobs[at + 422u], jobs[at + 423u], jobs[at + 424u]);  // -1
  X v50 = x_exp(v46);
  bool v51 = x_equal(v50, v25);
  X v52 = x_sub(v50, v25);
  X v53 = x_log(v50);
  X v54 = x_div(v46, v53);
  X v55 = x_mul(v52, v54);
  X v56 = x_where(v51, v46, v55);
  X v57 = x_where(v48, v49, v56);
  X v58 = x_negative(v57);
  X v59 = x_from_words(jobs[at + 425u], jobs[at + 426u], jobs[at + 427u]);  // where(greater(cycle.k_decay, 0), 1, 0)
  X v60 = x_where(v35, v58, v59);
  L v61 = x_log2(v60);
  X v62 = x_from_words(jobs[at + 428u], jobs[at + 429u], jobs[at + 430u]);  // cycle.power
  X v63 = x_power_from_log(v61, v62);
  X v64 = x_mul(v18, v63);
  X v65 = x_from_words(jobs[at + 431u], jobs[at + 432u], jobs[at + 433u]);  // cycle.end
  L v66 = l_from_words(jobs[at + 434u], jobs[at + 435u], jobs[at + 436u], jobs[at + 437u], jobs[at + 438u]);  // log2_of_base(low_decay)
  X v67 = x_power_from_log(v66, v12);
  X v68 = x_mul(v65, v67);
  X v69 = x_div(v32, v26);
  L v70 = x_log2(v69);
  X v71 = x_power_from_log(v70, v36);
  bool v72 = x_less(v71, v25);
  X v73 = x_where(v72, v71, v23);
  X v74 = x_negative(v73);
  X v75 = x_add(v25, v74);
  bool v76 = x_equal(v75, v25);
  X v77 = x_log(v75);
  X v78 = x_sub(v75, v25);
  X v79 = x_div(v74, v78);
  X v80 = x_mul(v77, v79);
  X v81 = x_where(v76, v74, v80);
  X v82 = x_mul(v62, v81);
  bool v83 = x_less(v82, v47);
  X v84 = x_exp(v82);
  bool v85 = x_equal(v84, v25);
  X v86 = x_sub(v84, v25);
  X v87 = x_log(v84);
  X v88 = x_div(v82, v87);
  X v89 = x_mul(v86, v88);
  X v90 = x_where(v85, v82, v89);
  X v91 = x_where(v83, v49, v90);
  X v92 = x_negative(v91);
  X v93 = x_from_words(jobs[at + 439u], jobs[at + 440u], jobs[at + 441u]);  // where(greater(cycle.power, 0), 1, 0)
  X v94 = x_where(v72, v92, v93);
  X v95 = x_mul(v68, v94);
  X v96 = x_add(v64, v95);
  X v97 = x_where(v6, v96, v68);
  return v97;
}
