# How everything is compiled. A warning is an error; the sanitizers are switches (see the presets).
option(HF_ASAN "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(HF_TSAN "Build with ThreadSanitizer" OFF)
option(HF_FUZZ "Build the libFuzzer targets (needs clang)" OFF)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1")

# -Wrestrict and -Wstringop-overflow report g++ 12's own std::string and std::vector (GCC bugs 105651, 105329).
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -fstack-protector-strong
                    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict -Wno-stringop-overflow>)
add_compile_definitions(_FILE_OFFSET_BITS=64 $<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(HF_ASAN)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()
if((HF_ASAN OR HF_TSAN) AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wno-maybe-uninitialized)  # Reports libstdc++'s own <regex> and variant.
endif()
if(HF_TSAN)
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
endif()
if(HF_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

find_program(HF_CCACHE ccache)
if(HF_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${HF_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${HF_CCACHE})
endif()
find_program(HF_MOLD mold)
if(HF_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
