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
  X v9 = x_from_words(jobs[at + 390u], jobs[at + 391u], jobs[at + 392u]);  // cycle.begin
  X v10 = x_sub(v8, v9);
  X v11 = x_add(v4, v3);
  X v12 = x_pick(v11, v1);
  X v13 = x_sub(v12, v7);
  bool v14 = x_less(v10, v13);
  X v15 = x_from_words(jobs[at + 393u], jobs[at + 394u], jobs[at + 395u]);  // 0
  X v16 = x_maximum(v10, v15);
  bool v17 = x_greater(v13, v15);
  X v18 = x_from_words(jobs[at + 396u], jobs[at + 397u], jobs[at + 398u]);  // 1
  X v19 = x_where(v17, v13, v18);
  X v20 = x_where(v14, v16, v19);
  bool v21 = x_greater(v20, v15);
  bool v22 = x_less(v20, v19);
  X v23 = x_from_words(jobs[at + 399u], jobs[at + 400u], jobs[at + 401u]);  // toward
  L v24 = l_from_words(jobs[at + 402u], jobs[at + 403u], jobs[at + 404u], jobs[at + 405u], jobs[at + 406u]);  // log2_of_base(decay)
  X v25 = x_from_words(jobs[at + 407u], jobs[at + 408u], jobs[at + 409u]);  // subtract(limit, 1.0)
  X v26 = x_minimum(v4, v25);
  X v27 = x_from_words(jobs[at + 410u], jobs[at + 411u], jobs[at + 412u]);  // 0.0
  X v28 = x_maximum(v26, v27);
  X v29 = x_power_from_log(v24, v28);
  X v30 = x_sub(v3, v29);
  X v31 = x_mul(v23, v30);
  X v32 = x_from_words(jobs[at + 413u], jobs[at + 414u], jobs[at + 415u]);  // cycle.start
  X v33 = x_mul(v32, v29);
  X v34 = x_add(v31, v33);
  X v35 = x_sub(v19, v20);
  X v36 = x_mul(v34, v35);
  X v37 = x_from_words(jobs[at + 416u], jobs[at + 417u], jobs[at + 418u]);  // cycle.end
  L v38 = l_from_words(jobs[at + 419u], jobs[at + 420u], jobs[at + 421u], jobs[at + 422u], jobs[at + 423u]);  // log2_of_base(low_decay)
  X v39 = x_power_from_log(v38, v28);
  X v40 = x_mul(v37, v39);
  X v41 = x_mul(v40, v20);
  X v42 = x_add(v36, v41);
  X v43 = x_div(v42, v19);
  X v44 = x_where(v22, v43, v40);
  X v45 = x_where(v21, v44, v34);
  X v46 = x_where(v6, v45, v40);
  return v46;
}
