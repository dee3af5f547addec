#version 450
#extension GL_GOOGLE_include_directive : require
// AdamW where no group asks for AMSGrad.
#include "adamw.glsl"
