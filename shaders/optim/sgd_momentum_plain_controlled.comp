#version 450
#extension GL_GOOGLE_include_directive : require
// SGD with momentum where no group has weight decay or Nesterov's momentum, clipped or left out by the norm of the gradients.
#define CONTROLLED
#define MOMENTUM
#define PLAIN
#include "sgd.glsl"
