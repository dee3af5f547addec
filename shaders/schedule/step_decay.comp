#version 450
#extension GL_GOOGLE_include_directive : require
// ``value``, multiplied by ``gamma`` each time the step reaches a multiple of ``step_size``.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 21u;
#include "fill.glsl"

X formula(X t, X k, uint at) {
  bool v0 = (jobs[at + 0u] != 0u);  // less(gamma, 0)
  X v1 = t;
  X v2 = x_from_words(jobs[at + 1u], jobs[at + 2u], jobs[at + 3u]);  // step_size
  X v3 = x_floor_divide(v1, v2);
  X v4 = x_from_words(jobs[at + 4u], jobs[at + 5u], jobs[at + 6u]);  // drops
  X v5 = x_sub(v3, v4);
  X v6 = x_from_words(jobs[at + 7u], jobs[at + 8u], jobs[at + 9u]);  // 2
  X v7 = x_remainder(v5, v6);
  X v8 = x_from_words(jobs[at + 10u], jobs[at + 11u], jobs[at + 12u]);  // 1
  bool v9 = x_equal(v7, v8);
  bool v10 = (v0 && v9);
  X v11 = x_from_words(jobs[at + 13u], jobs[at + 14u], jobs[at + 15u]);  // value
  L v12 = l_from_words(jobs[at + 16u], jobs[at + 17u], jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // log2_of_base(absolute(gamma))
  X v13 = x_power_from_log(v12, v5);
  X v14 = x_mul(v11, v13);
  X v15 = x_negative(v14);
  X v16 = x_where(v10, v15, v14);
  return v16;
}
