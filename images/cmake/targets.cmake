# holdfast_library(NAME USES ...): the static library of one folder: every .cpp beside its CMakeLists.txt.
# Folders are the units of the architecture, so they are also the units of linking: a missing arrow
# fails at link time as well as in tests/tidy.
function(holdfast_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "USES")
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(sources)
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC ${arg_USES})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${arg_USES})
  endif()
endfunction()
