#version 450
#extension GL_GOOGLE_include_directive : require
// Through ``values[i]`` at step ``steps[i]``, in lines or half cosines; level outside.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 582u;
#include "fill.glsl"
#include "lists.glsl"

X formula(X t, X k, uint at) {
  X v0 = t;
  List v1 = List(at + 0u, 64u);  // numbers_in_a_list(steps[0], steps[1], steps[2], steps[3], steps[4], steps[5], steps[6], steps[7], steps[8], steps[9], steps[10], steps[11], steps[12], steps[13], steps[14], steps[15], steps[16], steps[17], steps[18], steps[19], steps[20], steps[21], steps[22], steps[23], steps[24], steps[25], [...]
  X v2 = x_reached(v0, v1);
  List v3 = List(at + 192u, 64u);  // numbers_in_a_list(steps[0], steps[0], steps[1], steps[2], steps[3], steps[4], steps[5], steps[6], steps[7], steps[8], steps[9], steps[10], steps[11], steps[12], steps[13], steps[14], steps[15], steps[16], steps[17], steps[18], steps[19], steps[20], steps[21], steps[22], steps[23], steps[24], [...]
  X v4 = x_pick(v2, v3);
  X v5 = x_sub(v0, v4);
  X v6 = x_from_words(jobs[at + 384u], jobs[at + 385u], jobs[at + 386u]);  // 1
  X v7 = x_add(v2, v6);
  X v8 = x_pick(v7, v3);
  X v9 = x_sub(v8, v4);
  bool v10 = x_less(v5, v9);
  X v11 = x_from_words(jobs[at + 387u], jobs[at + 388u], jobs[at + 389u]);  // 0
  X v12 = x_maximum(v5, v11);
  bool v13 = x_greater(v9, v11);
  X v14 = x_where(v13, v9, v6);
  X v15 = x_where(v10, v12, v14);
  bool v16 = x_greater(v15, v11);
  bool v17 = x_less(v15, v14);
  List v18 = List(at + 390u, 64u);  // numbers_in_a_list(values[0], values[0], values[1], values[2], values[3], values[4], values[5], values[6], values[7], values[8], values[9], values[10], values[11], values[12], values[13], values[14], values[15], values[16], values[17], values[18], values[19], values[20], values[21], values[22], [...]
  X v19 = x_pick(v2, v18);
  X v20 = x_sub(v14, v15);
  X v21 = x_mul(v19, v20);
  X v22 = x_pick(v7, v18);
  X v23 = x_mul(v22, v15);
  X v24 = x_add(v21, v23);
  X v25 = x_div(v24, v14);
  X v26 = x_where(v17, v25, v22);
  X v27 = x_where(v16, v26, v19);
  return v27;
}
