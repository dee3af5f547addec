#version 450
#extension GL_GOOGLE_include_directive : require
// AdamW where no group asks for AMSGrad.
#define HYPER AdamW
#include "adam.glsl"
