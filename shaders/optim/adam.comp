#version 450
#extension GL_GOOGLE_include_directive : require
// Adam where no group asks for AMSGrad.
#define HYPER Adam
#define COUPLED
#include "adam.glsl"
