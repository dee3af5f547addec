#version 450
#extension GL_GOOGLE_include_directive : require
// From ``value`` at step 0 up by ``rate * value`` every ``steps`` steps, without an end.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 12u;
#include "fill.glsl"

X formula(X t, X k, uint at) {
  X v0 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // value
  X v1 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // 1
  X v2 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // rate
  X v3 = t;
  X v4 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // steps
  X v5 = x_floor_divide(v3, v4);
  X v6 = x_mul(v2, v5);
  X v7 = x_add(v1, v6);
  X v8 = x_mul(v0, v7);
  return v8;
}
