# Writes ${folder}/SHA256SUMS over the files that ${names} lists, in the format of sha256sum, and
# removes the SPIR-V of shaders that are no more.
cmake_minimum_required(VERSION 3.25)

file(STRINGS ${names} names)
set(lines "")
foreach(name IN LISTS names)
  file(SHA256 ${folder}/${name} sum)
  string(APPEND lines "${sum}  ${name}\n")
endforeach()
file(WRITE ${folder}/SHA256SUMS "${lines}")

file(GLOB_RECURSE found RELATIVE ${folder} ${folder}/*.spv)
foreach(name IN LISTS found)
  if(NOT name IN_LIST names)
    file(REMOVE ${folder}/${name})
  endif()
endforeach()
