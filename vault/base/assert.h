// HF_ASSERT: the rules of the program, checked in every build.
#pragma once
#include <cstdio>
#include <cstdlib>
#define HF_ASSERT(cond)                                                                  \
    do {                                                                                 \
        if (!(cond)) {                                                                   \
            std::fprintf(stderr, "%s:%d: broken rule: %s\n", __FILE__, __LINE__, #cond); \
            std::abort();                                                                \
        }                                                                                \
    } while (false)
