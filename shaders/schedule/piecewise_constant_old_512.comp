#version 450
#extension GL_GOOGLE_include_directive : require
// ``values[0]``, and ``values[i]`` from step ``boundaries[i - 1]`` on.
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
const uint CONSTANT_WORDS = 3078u;
#include "fill.glsl"
#include "lists.glsl"

X formula(X t, X k, uint at) {
  X v0 = x_from_words(jobs[at + 0u], jobs[at + 1u], jobs[at + 2u]);  // 512
  X v1 = t;
  X v2 = x_from_words(jobs[at + 3u], jobs[at + 4u], jobs[at + 5u]);  // ahead
  X v3 = x_add(v1, v2);
  X v4 = x_negative(v3);
  List v5 = List(at + 6u, 512u);  // numbers_in_a_list#a8ab09d8a64305667eff2d4c8ffd32e11a387673ecdcb76ddc9aeae240644f9d
  X v6 = x_reached(v4, v5);
  X v7 = x_sub(v0, v6);
  List v8 = List(at + 1542u, 512u);  // values[]
  X v9 = x_pick(v7, v8);
  return v9;
}
