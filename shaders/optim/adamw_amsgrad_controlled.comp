#version 450
#extension GL_GOOGLE_include_directive : require
// adamw_amsgrad.comp under a control buffer: see CONTROLLED in step.glsl.
#define CONTROLLED
#define HYPER AdamW
#define AMSGRAD
#include "adam.glsl"
