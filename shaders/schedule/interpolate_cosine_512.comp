#version 450
#extension GL_GOOGLE_include_directive : require
// Through ``values[i]`` at step ``steps[i]``, in lines or half cosines; level outside.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 4614u;
#include "fill.glsl"
#include "lists.glsl"

X formula(X t, X k, uint at) {
  X v0 = t;
  List v1 = List(at + 0u, 512u);  // numbers_in_a_list#ed1dfecadc7274a8ed0b71e3687de04f1fc3ba54f5c9a62b3fd0f5a871bc600c
  X v2 = x_reached(v0, v1);
  List v3 = List(at + 1536u, 512u);  // numbers_in_a_list#ce40b0e4eb296569f776ad2c14ad46648fcaeab7b1ef3a9b4a7bb074edf59870
  X v4 = x_pick(v2, v3);
  X v5 = x_sub(v0, v4);
  X v6 = x_from_words(jobs[at + 3072u], jobs[at + 3073u], jobs[at + 3074u]);  // 1
  X v7 = x_add(v2, v6);
  X v8 = x_pick(v7, v3);
  X v9 = x_sub(v8, v4);
  bool v10 = x_less(v5, v9);
  X v11 = x_from_words(jobs[at + 3075u], jobs[at + 3076u], jobs[at + 3077u]);  // 0
  X v12 = x_maximum(v5, v11);
  bool v13 = x_greater(v9, v11);
  X v14 = x_where(v13, v9, v6);
  X v15 = x_where(v10, v12, v14);
  bool v16 = x_greater(v15, v11);
  bool v17 = x_less(v15, v14);
  List v18 = List(at + 3078u, 512u);  // numbers_in_a_list#7d67aa4a1244bf7262ffdb545899dfe63b68a38d877ad9cd02600486182f66d1
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
