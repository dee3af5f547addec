#version 450
#extension GL_GOOGLE_include_directive : require
// ``cycle`` again and again; ``restarts`` makes it.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 430u;
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
  X v7 = x_from_words(jobs[at + 390u], jobs[at + 391u], jobs[at + 392u]);  // cycle.low
  L v8 = l_from_words(jobs[at + 393u], jobs[at + 394u], jobs[at + 395u], jobs[at + 396u], jobs[at + 397u]);  // log2_of_base(low_decay)
  X v9 = x_from_words(jobs[at + 398u], jobs[at + 399u], jobs[at + 400u]);  // subtract(limit, 1.0)
  X v10 = x_minimum(v4, v9);
  X v11 = x_from_words(jobs[at + 401u], jobs[at + 402u], jobs[at + 403u]);  // 0.0
  X v12 = x_maximum(v10, v11);
  X v13 = x_power_from_log(v8, v12);
  X v14 = x_mul(v7, v13);
  X v15 = x_from_words(jobs[at + 404u], jobs[at + 405u], jobs[at + 406u]);  // 2.0
  X v16 = x_from_words(jobs[at + 407u], jobs[at + 408u], jobs[at + 409u]);  // cycle.lower
  X v17 = x_add(v4, v3);
  X v18 = x_pick(v17, v1);
  X v19 = x_pick(v4, v1);
  X v20 = x_sub(v18, v19);
  X v21 = x_from_words(jobs[at + 410u], jobs[at + 411u], jobs[at + 412u]);  // 0
  bool v22 = x_greater(v20, v21);
  X v23 = x_from_words(jobs[at + 413u], jobs[at + 414u], jobs[at + 415u]);  // 1
  X v24 = x_where(v22, v20, v23);
  X v25 = x_sub(v0, v19);
  X v26 = x_sub(v25, v21);
  bool v27 = x_less(v26, v20);
  X v28 = x_maximum(v26, v21);
  X v29 = x_where(v27, v28, v24);
  X v30 = x_sub(v24, v29);
  X v31 = x_mul(v16, v30);
  X v32 = x_from_words(jobs[at + 416u], jobs[at + 417u], jobs[at + 418u]);  // cycle.upper
  X v33 = x_mul(v32, v29);
  X v34 = x_add(v31, v33);
  X v35 = x_mul(v15, v34);
  X v36 = x_div(v35, v24);
  bool v37 = x_greater(v36, v21);
  X v38 = x_absolute(v36);
  X v39 = x_negative(v38);
  X v40 = x_exp(v39);
  X v41 = x_add(v3, v40);
  X v42 = x_div(v3, v41);
  X v43 = x_div(v40, v41);
  X v44 = x_where(v37, v42, v43);
  X v45 = x_mul(v14, v44);
  X v46 = x_from_words(jobs[at + 419u], jobs[at + 420u], jobs[at + 421u]);  // toward
  L v47 = l_from_words(jobs[at + 422u], jobs[at + 423u], jobs[at + 424u], jobs[at + 425u], jobs[at + 426u]);  // log2_of_base(decay)
  X v48 = x_power_from_log(v47, v12);
  X v49 = x_sub(v3, v48);
  X v50 = x_mul(v46, v49);
  X v51 = x_from_words(jobs[at + 427u], jobs[at + 428u], jobs[at + 429u]);  // cycle.high
  X v52 = x_mul(v51, v48);
  X v53 = x_add(v50, v52);
  X v54 = x_where(v37, v43, v42);
  X v55 = x_mul(v53, v54);
  X v56 = x_add(v45, v55);
  X v57 = x_where(v6, v56, v14);
  return v57;
}
