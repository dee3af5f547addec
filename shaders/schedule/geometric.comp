#version 450
#extension GL_GOOGLE_include_directive : require
// From ``start`` to ``end`` by the same factor at every one of ``steps`` steps; level outside.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 23u;
#include "fill.glsl"

X formula(X t, X k, uint at) {
  X v0 = t;
  X v1 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // begin
  X v2 = x_sub(v0, v1);
  X v3 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // steps
  bool v4 = x_less(v2, v3);
  X v5 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // 0
  X v6 = x_maximum(v2, v5);
  X v7 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // where(greater(steps, 0), steps, 1)
  X v8 = x_where(v4, v6, v7);
  bool v9 = x_greater(v8, v5);
  bool v10 = x_less(v8, v7);
  X v11 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // start
  L v12 = l_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u], jobs[at + 18u], jobs[at + 19u]);  // log2_of_base(divide(end, start))
  X v13 = x_div(v8, v7);
  X v14 = x_power_from_log(v12, v13);
  X v15 = x_mul(v11, v14);
  X v16 = x_from_words(jobs[at + 20u], jobs[at + 21u], jobs[at + 22u]);  // end
  X v17 = x_where(v10, v15, v16);
  X v18 = x_where(v9, v17, v11);
  return v18;
}
