#version 450
#extension GL_GOOGLE_include_directive : require
// Adam with the largest second moment as a state: see adamw_amsgrad.comp.
#define HYPER Adam
#define COUPLED
#define AMSGRAD
#include "adam.glsl"
