#version 450
#extension GL_GOOGLE_include_directive : require
// A Cosine whose value was set by hand: from there its height over ``low`` is scaled.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 15u;
#include "fill.glsl"

X formula(X t, X k, uint at) {
  X v0 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // low
  X v1 = t;
  X v2 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // period
  X v3 = x_div(v1, v2);
  X v4 = x_half_cosine(v3);
  X v5 = x_mul(v0, v4);
  X v6 = x_from_words(jobs[at + 6u], jobs[at + 7u], jobs[at + 8u]);  // end
  bool v7 = x_less_equal(v1, v6);
  X v8 = x_from_words(jobs[at + 9u], jobs[at + 10u], jobs[at + 11u]);  // add(floor, divide(subtract(edit, low), half_cosine(divide(subtract(period, start), period))))
  X v9 = x_from_words(jobs[at + 12u], jobs[at + 13u], jobs[at + 14u]);  // high
  X v10 = x_where(v7, v8, v9);
  X v11 = x_sub(v2, v1);
  X v12 = x_div(v11, v2);
  X v13 = x_half_cosine(v12);
  X v14 = x_mul(v10, v13);
  X v15 = x_add(v5, v14);
  return v15;
}
