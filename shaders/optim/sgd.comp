#version 450
#extension GL_GOOGLE_include_directive : require
// SGD where no group has had a momentum: 2 loads and 1 store.
#include "sgd.glsl"
