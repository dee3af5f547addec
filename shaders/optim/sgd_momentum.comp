#version 450
#extension GL_GOOGLE_include_directive : require
// SGD with the momentum buffer as a state; the groups without momentum leave theirs alone.
#define MOMENTUM
#include "sgd.glsl"
