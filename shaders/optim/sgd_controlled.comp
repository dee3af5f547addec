#version 450
#extension GL_GOOGLE_include_directive : require
// sgd.comp under a control buffer: see CONTROLLED in step.glsl.
#define CONTROLLED
#include "sgd.glsl"
