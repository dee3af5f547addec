#version 450
#extension GL_GOOGLE_include_directive : require
// SGD where no group has weight decay or Nesterov's momentum.
#define PLAIN
#include "sgd.glsl"
