#version 450
#extension GL_GOOGLE_include_directive : require
// SGD where no group has weight decay or Nesterov's momentum, clipped or left out by the norm of the gradients.
#define CONTROLLED
#define PLAIN
#include "sgd.glsl"
