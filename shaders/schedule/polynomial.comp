#version 450
#extension GL_GOOGLE_include_directive : require
// ``value`` times a power of the share of steps that is left: 0 from step ``steps`` on.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 12u;
#include "fill.glsl"

X formula(X t, X k, uint at) {
  X v0 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // value
  X v1 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // steps
  X v2 = t;
  X v3 = x_minimum(v2, v1);
  X v4 = x_sub(v1, v3);
  X v5 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // over
  X v6 = x_div(v4, v5);
  L v7 = x_log2(v6);
  X v8 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // power
  X v9 = x_power_from_log(v7, v8);
  X v10 = x_mul(v0, v9);
  return v10;
}
