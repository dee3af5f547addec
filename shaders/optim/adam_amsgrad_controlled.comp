#version 450
#extension GL_GOOGLE_include_directive : require
// adam_amsgrad.comp under a control buffer: see CONTROLLED in step.glsl.
#define CONTROLLED
#define HYPER Adam
#define COUPLED
#define AMSGRAD
#include "adam.glsl"
