#version 450
#extension GL_GOOGLE_include_directive : require
// ``values[0]``, and ``values[i]`` from step ``boundaries[i - 1]`` on.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 3075u;
#include "fill.glsl"
#include "lists.glsl"

X formula(X t, X k, uint at) {
  X v0 = t;
  X v1 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // ahead
  X v2 = x_add(v0, v1);
  List v3 = List(at + 3u, 512u);  // numbers_in_a_list#1e8e7e3d53d277ca3d932bb39519dd9939f9fb3961e2d6dd3085160883743f99
  X v4 = x_reached(v2, v3);
  List v5 = List(at + 1539u, 512u);  // values[]
  X v6 = x_pick(v4, v5);
  return v6;
}
