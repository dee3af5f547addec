#version 450
#extension GL_GOOGLE_include_directive : require
// ``cycle`` again and again; ``restarts`` makes it.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 424u;
#include "fill.glsl"
#include "lists.glsl"

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
  X v21 = x_from_words(jobs[at + 404u], jobs[at + 405u], jobs[at + 406u]);  // multiply(2.0, cycle.cycles)
  X v22 = x_from_words(jobs[at + 407u], jobs[at + 408u], jobs[at + 409u]);  // 0
  X v23 = x_sub(v8, v22);
  bool v24 = x_less(v23, v11);
  X v25 = x_maximum(v23, v22);
  bool v26 = x_greater(v11, v22);
  X v27 = x_from_words(jobs[at + 410u], jobs[at + 411u], jobs[at + 412u]);  // 1
  X v28 = x_where(v26, v11, v27);
  X v29 = x_where(v24, v25, v28);
  X v30 = x_mul(v21, v29);
  X v31 = x_div(v30, v28);
  X v32 = x_half_cosine(v31);
  X v33 = x_mul(v20, v32);
  X v34 = x_from_words(jobs[at + 413u], jobs[at + 414u], jobs[at + 415u]);  // toward
  L v35 = l_from_words(jobs[at + 416u], jobs[at + 417u], jobs[at + 418u], jobs[at + 419u], jobs[at + 420u]);  // log2_of_base(decay)
  X v36 = x_power_from_log(v35, v18);
  X v37 = x_sub(v3, v36);
  X v38 = x_mul(v34, v37);
  X v39 = x_from_words(jobs[at + 421u], jobs[at + 422u], jobs[at + 423u]);  // cycle.high
  X v40 = x_mul(v39, v36);
  X v41 = x_add(v38, v40);
  X v42 = x_sub(v28, v30);
  X v43 = x_div(v42, v28);
  X v44 = x_half_cosine(v43);
  X v45 = x_mul(v41, v44);
  X v46 = x_add(v33, v45);
  X v47 = x_where(v12, v46, v20);
  X v48 = x_where(v6, v47, v20);
  return v48;
}
