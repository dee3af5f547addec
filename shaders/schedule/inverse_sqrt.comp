#version 450
#extension GL_GOOGLE_include_directive : require
// value * sqrt(timescale / (timescale + c)), with c = t - begin.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 12u;
#include "fill.glsl"

X formula(X t, X k, uint at) {
  X v0 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // value
  X v1 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // timescale
  X v2 = t;
  X v3 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // begin
  X v4 = x_sub(v2, v3);
  X v5 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // 0
  X v6 = x_maximum(v4, v5);
  X v7 = x_add(v1, v6);
  X v8 = x_mul(v1, v7);
  X v9 = x_sqrt(v8);
  X v10 = x_mul(v0, v9);
  X v11 = x_div(v10, v7);
  return v11;
}
