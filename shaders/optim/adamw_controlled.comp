#version 450
#extension GL_GOOGLE_include_directive : require
// adamw.comp under a control buffer: see CONTROLLED in step.glsl.
#define CONTROLLED
#define HYPER AdamW
#include "adam.glsl"
