#version 450
#extension GL_GOOGLE_include_directive : require
// Through ``values[i]`` at step ``steps[i]``, in lines or half cosines; level outside.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 78u;
#include "fill.glsl"
#include "lists.glsl"

X formula(X t, X k, uint at) {
  X v0 = t;
  List v1 = List(at + 0u, 8u);  // numbers_in_a_list(steps[0], steps[1], steps[2], steps[3], steps[4], steps[5], steps[6], 1.152921504606847e+18)
  X v2 = x_reached(v0, v1);
  List v3 = List(at + 24u, 8u);  // numbers_in_a_list(steps[0], steps[0], steps[1], steps[2], steps[3], steps[4], steps[5], steps[6])
  X v4 = x_pick(v2, v3);
  X v5 = x_sub(v0, v4);
  X v6 = x_from_words(jobs[at + 48u], jobs[at + 49u], jobs[at + 50u]);  // 1
  X v7 = x_add(v2, v6);
  X v8 = x_pick(v7, v3);
  X v9 = x_sub(v8, v4);
  bool v10 = x_less(v5, v9);
  X v11 = x_from_words(jobs[at + 51u], jobs[at + 52u], jobs[at + 53u]);  // 0
  X v12 = x_maximum(v5, v11);
  bool v13 = x_greater(v9, v11);
  X v14 = x_where(v13, v9, v6);
  X v15 = x_where(v10, v12, v14);
  bool v16 = x_greater(v15, v11);
  bool v17 = x_less(v15, v14);
  List v18 = List(at + 54u, 8u);  // numbers_in_a_list(values[0], values[0], values[1], values[2], values[3], values[4], values[5], values[6])
  X v19 = x_pick(v2, v18);
  X v20 = x_sub(v14, v15);
  X v21 = x_div(v20, v14);
  X v22 = x_half_cosine(v21);
  X v23 = x_mul(v19, v22);
  X v24 = x_pick(v7, v18);
  X v25 = x_div(v15, v14);
  X v26 = x_half_cosine(v25);
  X v27 = x_mul(v24, v26);
  X v28 = x_add(v23, v27);
  X v29 = x_where(v17, v28, v24);
  X v30 = x_where(v16, v29, v19);
  return v30;
}
