#version 450
#extension GL_GOOGLE_include_directive : require
// ``values[0]``, and ``values[i]`` from step ``boundaries[i - 1]`` on.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 54u;
#include "fill.glsl"
#include "lists.glsl"

X formula(X t, X k, uint at) {
  X v0 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // 8
  X v1 = t;
  X v2 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // ahead
  X v3 = x_add(v1, v2);
  X v4 = x_negative(v3);
  List v5 = List(at + 6u, 8u);  // numbers_in_a_list(negative(boundaries[0]), negative(boundaries[1]), negative(boundaries[2]), negative(boundaries[3]), negative(boundaries[4]), negative(boundaries[5]), negative(boundaries[6]), -1.152921504606847e+18)
  X v6 = x_reached(v4, v5);
  X v7 = x_sub(v0, v6);
  List v8 = List(at + 30u, 8u);  // values[]
  X v9 = x_pick(v7, v8);
  return v9;
}
