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
  L v35 = x_log2(v34);
  X v36 = x_from_words(jobs[at + 416u], jobs[at + 417u], jobs[at + 418u]);  // cycle.power
  X v37 = x_power_from_log(v35, v36);
  X v38 = x_mul(v18, v37);
  X v39 = x_from_words(jobs[at + 419u], jobs[at + 420u], jobs[at + 421u]);  // cycle.end
  L v40 = l_from_words(jobs[at + 422u], jobs[at + 423u], jobs[at + 424u], jobs[at + 425u], jobs[at + 426u]);  // log2_of_base(low_decay)
  X v41 = x_power_from_log(v40, v12);
  X v42 = x_mul(v39, v41);
  X v43 = x_div(v32, v26);
  bool v44 = x_less(v43, v25);
  X v45 = x_where(v44, v43, v23);
  X v46 = x_negative(v45);
  X v47 = x_add(v25, v46);
  bool v48 = x_equal(v47, v25);
  X v49 = x_log(v47);
  X v50 = x_sub(v47, v25);
  X v51 = x_div(v46, v50);
  X v52 = x_mul(v49, v51);
  X v53 = x_where(v48, v46, v52);
  X v54 = x_mul(v36, v53);
  X v55 = x_from_words(jobs[at + 427u], jobs[at + 428u], jobs[at + 429u]);  // -64
  bool v56 = x_less(v54, v55);
  X v57 = x_from_words(jobs[at + 430u], jobs[at + 431u], jobs[at + 432u]);  // -1
  X v58 = x_exp(v54);
  bool v59 = x_equal(v58, v25);
  X v60 = x_sub(v58, v25);
  X v61 = x_log(v58);
  X v62 = x_div(v54, v61);
  X v63 = x_mul(v60, v62);
  X v64 = x_where(v59, v54, v63);
  X v65 = x_where(v56, v57, v64);
  X v66 = x_negative(v65);
  X v67 = x_from_words(jobs[at + 433u], jobs[at + 434u], jobs[at + 435u]);  // where(greater(cycle.power, 0), 1, 0)
  X v68 = x_where(v44, v66, v67);
  X v69 = x_mul(v42, v68);
  X v70 = x_add(v38, v69);
  X v71 = x_where(v6, v70, v42);
  return v71;
}
