#version 450
#extension GL_GOOGLE_include_directive : require
// ``values[0]``, and ``values[i]`` from step ``boundaries[i - 1]`` on.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 51u;
#include "fill.glsl"
#include "lists.glsl"

X formula(X t, X k, uint at) {
  X v0 = t;
  X v1 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // ahead
  X v2 = x_add(v0, v1);
  List v3 = List(at + 3u, 8u);  // numbers_in_a_list(boundaries[0], boundaries[1], boundaries[2], boundaries[3], boundaries[4], boundaries[5], boundaries[6], 1.152921504606847e+18)
  X v4 = x_reached(v2, v3);
  List v5 = List(at + 27u, 8u);  // values[]
  X v6 = x_pick(v4, v5);
  return v6;
}
