#version 450
#extension GL_GOOGLE_include_directive : require
// ``value``, multiplied by ``rate`` in the course of every ``steps`` steps.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 21u;
#include "fill.glsl"

X formula(X t, X k, uint at) {
  bool v0 = (jobs[at + 0u] != 0u);  // less(rate, 1)
  X v1 = x_from_words(jobs[at + 1u], jobs[at + 2u], jobs[at + 3u]);  // value
  L v2 = l_from_words(jobs[at + 4u], jobs[at + 5u], jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // log2_of_base(rate)
  X v3 = t;
  X v4 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // begin
  X v5 = x_sub(v3, v4);
  X v6 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // 0
  X v7 = x_maximum(v5, v6);
  X v8 = x_from_words(jobs[at + 15u], jobs[at + 16u], jobs[at + 17u]);  // steps
  X v9 = x_floor_divide(v7, v8);
  X v10 = x_power_from_log(v2, v9);
  X v11 = x_mul(v1, v10);
  X v12 = x_from_words(jobs[at + 18u], jobs[at + 19u], jobs[at + 20u]);  // end
  X v13 = x_maximum(v11, v12);
  X v14 = x_minimum(v11, v12);
  X v15 = x_where(v0, v13, v14);
  return v15;
}
