#version 450
#extension GL_GOOGLE_include_directive : require
// ``values[0]``, and ``values[i]`` from step ``boundaries[i - 1]`` on.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 387u;
#include "fill.glsl"
#include "lists.glsl"

X formula(X t, X k, uint at) {
  X v0 = t;
  X v1 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // ahead
  X v2 = x_add(v0, v1);
  List v3 = List(at + 3u, 64u);  // numbers_in_a_list#3121f78a49537ec4adeeb0a40f3637fe176e07ae899c22ccd6223afd8037dc24
  X v4 = x_reached(v2, v3);
  List v5 = List(at + 195u, 64u);  // values[]
  X v6 = x_pick(v4, v5);
  return v6;
}
