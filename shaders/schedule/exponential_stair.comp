#version 450
#extension GL_GOOGLE_include_directive : require
// ``value``, multiplied by ``rate`` in the course of every ``steps`` steps.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 17u;
#include "fill.glsl"

X formula(X t, X k, uint at) {
  X v0 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // value
  L v1 = l_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u], jobs[at + 6u], jobs[at + 7u]);  // log2_of_base(rate)
  X v2 = t;
  X v3 = x_from_words(jobs[at + 8u], jobs[at + 9u], jobs[at + 10u]);  // begin
  X v4 = x_sub(v2, v3);
  X v5 = x_from_words(jobs[at + 11u], jobs[at + 12u], jobs[at + 13u]);  // 0
  X v6 = x_maximum(v4, v5);
  X v7 = x_from_words(jobs[at + 14u], jobs[at + 15u], jobs[at + 16u]);  // steps
  X v8 = x_floor_divide(v6, v7);
  X v9 = x_power_from_log(v1, v8);
  X v10 = x_mul(v0, v9);
  return v10;
}
