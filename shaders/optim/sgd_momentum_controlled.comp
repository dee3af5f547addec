#version 450
#extension GL_GOOGLE_include_directive : require
// sgd_momentum.comp under a control buffer: see CONTROLLED in step.glsl.
#define CONTROLLED
#define MOMENTUM
#include "sgd.glsl"
