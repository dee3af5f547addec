#version 450
#extension GL_GOOGLE_include_directive : require
// A Ramp that was set to ``value`` at step ``since``, before its end: in proportion from there.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 15u;
#include "fill.glsl"

X formula(X t, X k, uint at) {
  X v0 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // value
  X v1 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // start
  X v2 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // steps
  X v3 = t;
  X v4 = x_minimum(v3, v2);
  X v5 = x_sub(v2, v4);
  X v6 = x_mul(v1, v5);
  X v7 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // end
  X v8 = x_mul(v7, v4);
  X v9 = x_add(v6, v8);
  X v10 = x_mul(v0, v9);
  X v11 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // add(multiply(start, subtract(steps, minimum(since, steps))), multiply(end, minimum(since, steps)))
  X v12 = x_div(v10, v11);
  return v12;
}
