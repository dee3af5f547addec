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
  X v7 = x_from_words(jobs[at + 390u], jobs[at + 391u], jobs[at + 392u]);  // cycle.low
  L v8 = l_from_words(jobs[at + 393u], jobs[at + 394u], jobs[at + 395u], jobs[at + 396u], jobs[at + 397u]);  // log2_of_base(low_decay)
  X v9 = x_from_words(jobs[at + 398u], jobs[at + 399u], jobs[at + 400u]);  // subtract(limit, 1.0)
  X v10 = x_minimum(v4, v9);
  X v11 = x_from_words(jobs[at + 401u], jobs[at + 402u], jobs[at + 403u]);  // 0.0
  X v12 = x_maximum(v10, v11);
  X v13 = x_power_from_log(v8, v12);
  X v14 = x_mul(v7, v13);
  X v15 = x_from_words(jobs[at + 404u], jobs[at + 405u], jobs[at + 406u]);  // 2.0
  X v16 = x_pick(v4, v1);
  X v17 = x_sub(v0, v16);
  X v18 = x_from_words(jobs[at + 407u], jobs[at + 408u], jobs[at + 409u]);  // 0
  X v19 = x_sub(v17, v18);
  X v20 = x_add(v4, v3);
  X v21 = x_pick(v20, v1);
  X v22 = x_sub(v21, v16);
  bool v23 = x_less(v19, v22);
  X v24 = x_maximum(v19, v18);
  bool v25 = x_greater(v22, v18);
  X v26 = x_from_words(jobs[at + 410u], jobs[at + 411u], jobs[at + 412u]);  // 1
  X v27 = x_where(v25, v22, v26);
  X v28 = x_where(v23, v24, v27);
  X v29 = x_sub(v27, v28);
  X v30 = x_minimum(v28, v29);
  X v31 = x_mul(v15, v30);
  X v32 = x_mul(v14, v31);
  X v33 = x_from_words(jobs[at + 413u], jobs[at + 414u], jobs[at + 415u]);  // toward
  L v34 = l_from_words(jobs[at + 416u], jobs[at + 417u], jobs[at + 418u], jobs[at + 419u], jobs[at + 420u]);  // log2_of_base(decay)
  X v35 = x_power_from_log(v34, v12);
  X v36 = x_sub(v3, v35);
  X v37 = x_mul(v33, v36);
  X v38 = x_from_words(jobs[at + 421u], jobs[at + 422u], jobs[at + 423u]);  // cycle.high
  X v39 = x_mul(v38, v35);
  X v40 = x_add(v37, v39);
  X v41 = x_mul(v15, v28);
  X v42 = x_sub(v27, v41);
  X v43 = x_absolute(v42);
  X v44 = x_mul(v40, v43);
  X v45 = x_add(v32, v44);
  X v46 = x_div(v45, v27);
  X v47 = x_where(v6, v46, v14);
  return v47;
}
