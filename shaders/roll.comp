#version 450
#extension GL_GOOGLE_include_directive : require
// Before the table is filled from the next step on.
#include "roll.glsl"

void main() { roll(); }
